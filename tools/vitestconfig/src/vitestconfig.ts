import { defineConfig } from 'vitest/config';

const conditions = ['@samovar/source'];

/** How every package runs its tests: from source, with the counts in test-results.json for `verify` to add up. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts'],
    reporters: ['default', 'json'],
    outputFile: 'test-results.json',
    fsModuleCache: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
