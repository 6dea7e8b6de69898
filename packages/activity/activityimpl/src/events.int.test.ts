import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entityEventsContract, logWorld } from '@samovar/activitytest/contract';
import { background, withCancel } from '@samovar/context';
import { connect } from '@samovar/edaimpl';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { connEntityEvents } from './events.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samovar-activity-'));
});
afterAll(() => rm(folder, { recursive: true }));

const open = async (url: string) => logWorld(await connect(url, { logger: null }), connEntityEvents);

entityEventsContract('a log in memory', () => open('memory:'));
entityEventsContract('a log in SQLite', () => open(`sqlite:${join(folder, `${files++}.db`)}`));

it('leaves no subscription behind when signals end', async () => {
  await using conn = await connect('memory:', { logger: null });
  const subscribe = vi.spyOn(conn, 'subscribe');
  const { ctx, cancel } = withCancel(background);
  const signals = connEntityEvents(conn).signals(ctx, ['repo', 'registry'])[Symbol.asyncIterator]();
  await signals.next();
  const states = async () => {
    const subscriptions = await Promise.all(subscribe.mock.results.map(({ value }) => value));
    return subscriptions.map((subscription) => subscription.status().state);
  };
  expect(await states()).toEqual(['running', 'running']);
  const next = signals.next();
  cancel();
  await expect(next).rejects.toThrow('canceled');
  expect(await states()).toEqual(['closed', 'closed']);
});
