/** What every runtime must do, in Chromium: on WebAssembly and on WebGPU; with the numbers of Node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { checks } from '../conformance/checks.ts'
import { type Browser, launch, openPage, type PageCall } from './support/browser.ts'
import { bundle, serveFiles } from './support/site.ts'

let browser: Browser
let site: Awaited<ReturnType<typeof serveFiles>>

beforeAll(async () => {
  const { files } = await bundle('checks', 'conformance')
  site = await serveFiles(new Map([...files, ['page.js', files.get('checks.js') ?? '']]), { isolated: true })
  browser = await launch()
})

afterAll(async () => {
  await browser.close()
  site.close()
  manualSeed(0)
})

describe.each([
  ['WebAssembly', { device: 'cpu', threads: 2 }],
  ['WebGPU', { device: 'webgpu', threads: 1 }],
] as const)('%s', (name, runtime) => {
  let call: PageCall
  const printed: string[] = []

  beforeAll(async () => {
    const opened = await openPage(browser, site.url)
    call = opened.call
    opened.tab.on('console', (message) => printed.push(message.text()))
    await call('start', runtime)
  })

  for (const check of checks) {
    // A skip is counted; its reason stands in the name.
    const skip = name === 'WebGPU' && check.notOnGpu !== undefined
    test.skipIf(skip)(skip ? `${check.name} (${check.notOnGpu})` : check.name, async () => {
      const found = await call<readonly number[]>('run', check.name)
      manualSeed(0)
      const expected = await check.run()
      expect(found.length).toBe(expected.length)
      for (const [i, value] of expected.entries())
        expect(Math.abs((found[i] ?? Number.NaN) - value), `${found[i]} for ${value}`).toBeLessThanOrEqual(1e-5)
    })
  }

  test('the runtime printed nothing, not even of errors that were caught', () => {
    expect(printed).toEqual([])
  })
})
