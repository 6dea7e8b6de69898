import config from '@samovar/vitestconfig';
import { mergeConfig } from 'vitest/config';

// The tests wait for servers most of the time.
export default mergeConfig(config, { test: { maxWorkers: 2 } });
