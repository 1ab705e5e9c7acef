/** @type {import('vitest/config').ViteUserConfig} */
const config = {
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks', maxWorkers: 2 },
}

// biome-ignore lint/style/noDefaultExport: vitest reads the default export
export default config
