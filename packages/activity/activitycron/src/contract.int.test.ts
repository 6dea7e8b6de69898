import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connEntityEvents } from '@samovar/activityimpl';
import { engineContract, logWorld } from '@samovar/activitytest/contract';
import { connect } from '@samovar/edaimpl';
import { afterAll, beforeAll } from 'vitest';
import { CronEngine } from './activitycron.ts';

const everyMs = 4 * 3_600_000;

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samovar-activity-'));
});
afterAll(() => rm(folder, { recursive: true }));

const open = async (url: string) => logWorld(await connect(url, { logger: null }), connEntityEvents);

engineContract(
  'CronEngine over a log in memory',
  (options) => new CronEngine({ ...options, everyMs }),
  { everyMs },
  () => open('memory:'),
);
engineContract(
  'CronEngine over a log in SQLite',
  (options) => new CronEngine({ ...options, everyMs }),
  { everyMs },
  () => open(`sqlite:${join(folder, `${files++}.db`)}`),
);
