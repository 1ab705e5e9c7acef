// Runs the test suite, or with --web the one in Chromium, and closes with one plain line: `N passed, N failed` (`, N skipped`).
import { startVitest } from 'vitest/node'

const args = process.argv.slice(2)
const filters = args.filter((arg) => arg !== '--web')
const config = args.includes('--web') ? { config: 'vitest.web.config.js' } : {}
const vitest = await startVitest('test', filters, { watch: false, ...config })
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const module of vitest.state.getTestModules()) {
  if (module.errors().length > 0) counts.failed++
  for (const test of module.children.allTests()) {
    const state = test.result().state
    if (state === 'passed' || state === 'failed' || state === 'skipped') counts[state]++
  }
}
counts.failed += vitest.state.getUnhandledErrors().length
await vitest.close()
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0)
