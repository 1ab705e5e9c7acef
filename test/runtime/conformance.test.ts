/** What every runtime must do, in Node. `npm run test:web` has the same in Chromium. */
import { afterAll, beforeAll, test } from 'vitest'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { checks } from '../conformance/checks.ts'

beforeAll(() => manualSeed(0))
afterAll(() => manualSeed(0))

test.each(checks.map((check) => [check.name, check] as const))('%s', async (_name, { run }) => {
  await run()
})
