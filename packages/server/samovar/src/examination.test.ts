import 'reflect-metadata';
import { Bus } from '@samovar/bus';
import { FakeBus } from '@samovar/bustest';
import { Consumer } from '@samovar/eda';
import { command, event, query } from '@samovar/message';
import { Check, Initializer } from '@samovar/server';
import { Container, type Newable } from 'inversify';
import { beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { examine } from './examination.ts';
import type { Roots } from './roots.ts';

const BoilWaterCommand = command('kitchen.BoilWaterCommand', z.object({}));
const GetTeaQuery = query('kitchen.GetTeaQuery', z.object({}), z.string());
const TeaServed = event('kitchen.TeaServed', z.object({}));
const WaterBoiled = event('kitchen.WaterBoiled', z.object({}));

abstract class Kitchen {}
abstract class Stove {}

let container: Container;
let bus: FakeBus;
beforeEach(() => {
  container = new Container();
  bus = new FakeBus();
  container.bind(Bus).toConstantValue(bus);
  container.bind(Initializer).toConstantValue({ init: () => {} });
  container.bind(Check).toConstantValue({ name: 'stove', check: async () => [] });
});

function rootsOf(messages: Roots['messages'], ...classes: unknown[]): Roots {
  return { messages, classes: new Map(classes.map((token) => [(token as Newable).name, token as Newable])) };
}

/** What it says, without what all is well with. */
async function findings(roots: Roots): Promise<unknown[]> {
  const diagnoses = await examine(container, roots, false);
  return diagnoses.flatMap(({ check, findings }) =>
    findings.map(({ severity, message }) => `${severity} ${check}: ${message}`),
  );
}

it('names every check, also those that find nothing', async () => {
  const diagnoses = await examine(container, rootsOf([]), false);
  expect(diagnoses).toEqual(
    ['tokens', 'initialisation', 'messages', 'stove'].map((check) => ({ check, findings: [] })),
  );
});

it('finds a bound token that cannot be had, and asks nothing more', async () => {
  container.bind(Kitchen).toResolvedValue((_stove) => new (class extends Kitchen {})(), [Stove]);
  const found = await findings(rootsOf([BoilWaterCommand], Kitchen, Stove));
  expect(found).toEqual([expect.stringMatching(/^error tokens: Kitchen cannot be had: .+/)]);
});

it('finds what cannot be initialised, and initialises the rest', async () => {
  container.bind(Initializer).toConstantValue({ init: () => Promise.reject(new Error('no gas')) });
  container.bind(Initializer).toConstantValue({ init: () => void bus.addHandler(BoilWaterCommand, () => {}) });
  expect(await findings(rootsOf([BoilWaterCommand]))).toEqual([
    'error initialisation: Object cannot be initialised: no gas',
  ]);
});

it('finds what nobody handles, and notes what nobody hears of', async () => {
  const roots = rootsOf([BoilWaterCommand, GetTeaQuery, TeaServed, WaterBoiled]);
  expect(await findings(roots)).toEqual([
    'error messages: nobody handles kitchen.BoilWaterCommand',
    'error messages: nobody handles kitchen.GetTeaQuery',
    'note messages: nobody listens to, or consumes, kitchen.TeaServed, kitchen.WaterBoiled',
  ]);
  bus.addHandler(BoilWaterCommand, () => {});
  bus.addHandler(GetTeaQuery, () => 'tea');
  bus.addEventListener(TeaServed, () => {});
  const consumer = { name: 'log', selector: '>', options: {}, handle: () => {} };
  container.bind(Consumer).toConstantValue({ ...consumer, events: [WaterBoiled] });
  expect(await findings(roots)).toEqual([]);
});

it('takes a consumer of all events for one that hears each, and handles none', async () => {
  container
    .bind(Consumer)
    .toConstantValue({ name: 'log', selector: '>', options: {}, events: 'all', handle: () => {} });
  expect(await findings(rootsOf([BoilWaterCommand, TeaServed]))).toEqual([
    'error messages: nobody handles kitchen.BoilWaterCommand',
  ]);
});

it('tells what the checks find, and which could not look', async () => {
  const broken = { name: 'gas', check: () => Promise.reject(new Error('no meter\nat all')) };
  container.bind(Check).toConstantValue(broken);
  container
    .bind(Check)
    .toConstantValue({ name: 'tap', check: async () => [{ severity: 'warning', message: 'drips', mend: 'turn it' }] });
  expect(await findings(rootsOf([]))).toEqual(['error gas: cannot look: no meter', 'warning tap: drips']);
});

it('warns only of checks that cannot look where migrations are pending', async () => {
  container
    .bind(Check)
    .toConstantValue({ name: 'database', check: async () => [{ severity: 'note', message: 'pending', mend: '' }] });
  container.bind(Check).toConstantValue({ name: 'gas', check: () => Promise.reject(new Error('no such table')) });
  expect(await findings(rootsOf([]))).toEqual(['note database: pending', 'warning gas: cannot look: no such table']);
});
