import { expect, test } from 'vitest'
import * as node from '../../src/runtime/node.ts'
import type { Runtime } from '../../src/runtime/session.ts'
import * as web from '../../src/runtime/web.ts'
import { told } from '../data/support.ts'

// What it computes is tested in test/browser, and in Chromium by `npm run test:web`.

test('every platform has the same interface', () => {
  const platforms: readonly Runtime[] = [node, web]
  for (const platform of platforms) expect(typeof platform.hasBlockedConvolutions).toBe('boolean')
})

test('a browser profiles nothing', async () => {
  expect(await told(() => web.loadSession(new Uint8Array(), { profile: true }))).toBe(
    'UsageError: profile: kernels are timed in Node only',
  )
})

test('a page must bring onnxruntime-web', async () => {
  const message = await told(() => web.loadSession(new Uint8Array()))
  expect(message).toMatch(
    /^TenfoldError: the package onnxruntime-web can't be loaded: .*onnxruntime-web.* \| in a browser models run with it: npm install onnxruntime-web$/s,
  )
})
