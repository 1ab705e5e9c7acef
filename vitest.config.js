import { fileURLToPath } from 'node:url'

/** @type {import('vitest/config').ViteUserConfig} */
const config = {
  // package.json's "imports" has the built file; tests run the source.
  resolve: { alias: { '#runtime': fileURLToPath(new URL('src/runtime/node.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    isolate: false,
  },
}

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default config
