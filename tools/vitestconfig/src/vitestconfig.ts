import { fileURLToPath } from 'node:url';
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
    setupFiles: fileURLToPath(new URL('patience.ts', import.meta.url)),
    // The processes that tests start would each compile the same sources again.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/node', import.meta.url)) },
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
