import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as api from '@samovar/api';
import * as bus from '@samovar/bus';
import { background, withCancel } from '@samovar/context';
import * as eda from '@samovar/eda';
import * as observer from '@samovar/observer';
import * as repos from '@samovar/repos';
import * as server from '@samovar/server';
import { type Container, ContainerModule, type Newable } from 'inversify';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { build } from './build.ts';
import { loadConfig } from './config.ts';
import { run } from './run.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'samovar-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function buildInMemory(port = 0, ...overrides: ContainerModule[]): Promise<Container> {
  const flags = { events: 'memory:', port, logLevel: 'silent' };
  return await build(loadConfig({ flags, env: {}, cwd: folder }), ...overrides);
}

it('everything that the roots promise can be had', async () => {
  const container = await buildInMemory();
  onTestFinished(() => container.get(eda.Conn).close());
  const exported = Object.entries({ ...api, ...bus, ...eda, ...observer, ...repos, ...server });
  const bound = exported.filter(([, value]) => typeof value === 'function' && container.isBound(value as Newable));
  expect(bound.map(([name]) => name).toSorted()).toEqual([
    'BackgroundService',
    'Bus',
    'Conn',
    'HttpApi',
    'Initializer',
    'Logger',
    'Observer',
    'Readiness',
    'Repos',
    'Server',
  ]);
  for (const [name, token] of bound) expect(container.getAll(token as Newable), name).not.toEqual([]);
  expect(container.getAll(server.BackgroundService).map(({ name }) => name)).toEqual(['observer', 'http']);
});

it('an override replaces what it binds anew', async () => {
  const mine: server.Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => mine };
  const override = new ContainerModule(({ rebind }) => void rebind(server.Logger).toConstantValue(mine));
  const container = await buildInMemory(0, override);
  onTestFinished(() => container.get(eda.Conn).close());
  expect(container.get(server.Logger)).toBe(mine);
});

it('runs until its context is done, and closes the log last', async () => {
  const container = await buildInMemory();
  const { ctx, cancel } = withCancel(background);
  const { url, stopped } = await run(ctx, container);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const conn = container.get(eda.Conn);
  expect(await conn.head(background, 'none')).toBeNull();
  cancel();
  await stopped;
  await expect(conn.head(background, 'none')).rejects.toMatchObject({ id: 'eda.closed' });
});

it('says why it did not start, and closes the log', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const container = await buildInMemory((other.address() as AddressInfo).port);
  await expect(run(background, container)).rejects.toMatchObject({ id: 'api.cannotListen' });
  await expect(container.get(eda.Conn).head(background, 'none')).rejects.toMatchObject({ id: 'eda.closed' });
});

it('does not start under a context that is done', async () => {
  const container = await buildInMemory();
  const { ctx, cancel } = withCancel(background);
  cancel();
  await expect(run(ctx, container)).rejects.toMatchObject({ status: 'canceled' });
});
