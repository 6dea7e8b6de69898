import { engineContract } from '@samovar/activitytest/contract';
import { LazyEngine } from './activitylazy.ts';

engineContract('LazyEngine', (options) => new LazyEngine(options), {});
