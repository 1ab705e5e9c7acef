import { fileURLToPath } from 'node:url'

/** @type {import('vitest/config').ViteUserConfig} */
const config = {
  resolve: { alias: { '#runtime': fileURLToPath(new URL('src/runtime/node.ts', import.meta.url)) } },
  test: {
    include: ['test/chromium/**/*.web.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Times are compared: one file at a time.
    maxWorkers: 1,
    isolate: false,
    reporters: ['verbose'],
  },
}

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default config
