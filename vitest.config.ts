import { defineConfig } from 'vitest/config';

/** Sources, not dist, so that a test sees what the editor shows; `npm run build` type-checks them. */
const conditions = ['@synglot/source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    globalSetup: 'test/support/fresh-catalogue.ts',
    pool: 'forks',
    // One process on the device at a time: software devices use every core.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    include: [
      'kernels/**/*.test.ts',
      'native/**/*.test.ts',
      'packages/*/src/**/*.test.ts',
      'test/**/*.test.ts',
    ],
  },
});
