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

test('settings that a platform does not have are told', async () => {
  expect(await told(() => node.configure({ device: 'webgpu' }))).toBe(
    'UsageError: device: in Node models run on the processor (cpu), found webgpu',
  )
  expect(await told(() => node.configure({ files: '/runtime/' }))).toBe(
    'UsageError: files: only a browser fetches the files of the runtime',
  )
  expect(await told(() => web.configure({ threads: 2 }))).toBe(
    'UsageError: configure: 2 threads need files, the folder with the files of onnxruntime-web | each thread loads them by itself',
  )
  expect(await told(() => web.configure({ device: 'gpu' as 'webgpu' }))).toMatch(
    /^UsageError: configure: device must be /,
  )
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
