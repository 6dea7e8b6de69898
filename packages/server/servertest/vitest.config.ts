import config from '@samovar/vitestconfig';
import { mergeConfig } from 'vitest/config';

// The tests wait for processes much of the time, and are the last ones.
export default mergeConfig(config, { test: { maxWorkers: 3 } });
