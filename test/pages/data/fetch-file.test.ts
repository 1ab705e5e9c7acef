import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fetchFile } from '../../../src/pages/data/fetch-file.ts'
import { told } from '../../data/support.ts'

beforeEach(() => vi.stubGlobal('location', new URL('https://site.example/try/mixer/worker.js')))
afterEach(() => vi.unstubAllGlobals())

test('a file is fetched once: later the network may be gone', async () => {
  const asked: string[] = []
  vi.stubGlobal('fetch', async (address: URL) => {
    asked.push(address.href)
    return new Response(new Uint8Array(gzipSync(Uint8Array.of(1, 2, 3))))
  })
  expect(await fetchFile('once.gz')).toEqual(Uint8Array.of(1, 2, 3))
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  expect(await fetchFile('once.gz')).toEqual(Uint8Array.of(1, 2, 3))
  expect(asked).toEqual(['https://site.example/try/data/once.gz'])
})

test('what failed is fetched again, and says what may be wrong', async () => {
  const message = 'TenfoldError: the file data/late.bin of this site could not be read'
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  expect(await told(() => fetchFile('late.bin'))).toBe(`${message} | is the network there?`)
  vi.stubGlobal('fetch', async () => new Response('nothing', { status: 404 }))
  expect(await told(() => fetchFile('late.bin'))).toBe(`${message} | it must be served with the folders beside it`)
  vi.stubGlobal('fetch', async () => new Response(Uint8Array.of(7)))
  expect(await fetchFile('late.bin')).toEqual(Uint8Array.of(7))
})
