import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CronEngine } from '@samovar/activitycron';
import { EagerEngine } from '@samovar/activityeager';
import { LazyEngine } from '@samovar/activitylazy';
import { type EngineTraits, engineContract, logWorld, type MakeEngine } from '@samovar/activitytest/contract';
import { connect } from '@samovar/edaimpl';
import { afterAll, beforeAll, describe } from 'vitest';
import { connEntityEvents } from './events.ts';

const everyMs = 4 * 3_600_000;
const engines: readonly [string, MakeEngine, EngineTraits][] = [
  ['LazyEngine', (options) => new LazyEngine(options), {}],
  ['EagerEngine', (options) => new EagerEngine(options), { watches: true }],
  ['CronEngine', (options) => new CronEngine({ ...options, everyMs }), { everyMs }],
];

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samovar-activity-'));
});
afterAll(() => rm(folder, { recursive: true }));

const open = async (url: string) => logWorld(await connect(url, { logger: null }), connEntityEvents);

describe.each([
  ['in memory', () => open('memory:')],
  ['in SQLite', () => open(`sqlite:${join(folder, `${files++}.db`)}`)],
])('over a log %s', (_, openWorld) => {
  for (const [name, make, traits] of engines) engineContract(name, make, traits, openWorld);
});
