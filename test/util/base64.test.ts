import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromBase64, toBase64 } from '../../src/util/base64.ts'

test("the same as Buffer's, of any bytes", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
    expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
    expect(fromBase64(toBase64(bytes))).toEqual(bytes)
  })
  fc.assert(property, { seed: 1, numRuns: 200 })
})

test('of more bytes than one call takes', () => {
  const bytes = Uint8Array.from({ length: 1_000_001 }, (_, i) => (i * i) % 251)
  expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
})
