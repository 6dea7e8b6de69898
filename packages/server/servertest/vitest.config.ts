import config from '@samovar/vitestconfig';
import { mergeConfig } from 'vitest/config';

// The tests wait for processes much of the time, and are the last ones. On a busy machine a command takes seconds.
export default mergeConfig(config, { test: { maxWorkers: 2, testTimeout: 120_000 } });
