import { engineContract } from '@samovar/activitytest/contract';
import { CronEngine } from './activitycron.ts';

const everyMs = 4 * 3_600_000;

engineContract('CronEngine', (options) => new CronEngine({ ...options, everyMs }), { everyMs });
