import type { EntityRef } from '@samovar/activity';
import { FakeEntityEvents, RecordingLogger } from '@samovar/activitytest';
import { background, type CancelScope, withCancel } from '@samovar/context';
import type { Event } from '@samovar/eda';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { follow } from './following.ts';

const entity: EntityRef = { kind: 'registry', registry: 'main' };

let events: FakeEntityEvents;
let logger: RecordingLogger;
let scope: CancelScope;
let log: string[];
/** What fails once. */
let faults: Set<string>;
beforeEach(() => {
  events = new FakeEntityEvents();
  logger = new RecordingLogger();
  scope = withCancel(background);
  log = [];
  faults = new Set();
});
afterEach(() => scope.cancel());

const append = (...types: readonly string[]) => events.append(entity, ...types.map((type) => ({ type })));

async function note(what: string): Promise<void> {
  if (faults.delete(what)) throw new Error(`no ${what}`);
  log.push(what);
}

const start = () =>
  follow(scope.ctx, { events, logger }, entity, {
    startAll: () => note('all'),
    handle: ({ type }: Event) => note(type),
  });

it('starts what there is, then handles what comes, until its context ends', async () => {
  append('before');
  const following = start();
  await vi.waitFor(() => expect(log).toEqual(['all']));
  append('tea', 'milk');
  await vi.waitFor(() => expect(log).toEqual(['all', 'tea', 'milk']));
  scope.cancel();
  await expect(following).rejects.toThrow('canceled');
  append('late');
  expect(log).toHaveLength(3);
  expect(logger.lines).toEqual([]);
});

it('handles what comes while it starts what there is', async () => {
  const startAll = async () => {
    append('tea');
    await note('all');
  };
  const handle = ({ type }: Event) => note(type);
  follow(scope.ctx, { events, logger }, entity, { startAll, handle }).catch(() => {});
  await vi.waitFor(() => expect(log).toEqual(['all', 'tea']));
});

it('tries again what has failed, and leaves nothing out', async () => {
  faults = new Set(['all', 'milk']);
  start().catch(() => {});
  await vi.waitFor(() => expect(log).toEqual(['all']));
  append('tea', 'milk', 'sugar');
  await vi.waitFor(() => expect(log).toEqual(['all', 'tea', 'milk', 'sugar']));
  const message = 'registry.main cannot be followed: trying again';
  expect(logger.lines).toMatchObject([
    { level: 'warn', message, fields: { err: { message: 'no all' } } },
    { level: 'warn', message, fields: { err: { message: 'no milk' } } },
  ]);
});
