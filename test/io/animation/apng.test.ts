import { expect, test } from 'vitest'
import { encodeApng } from '../../../src/io/animation/apng.ts'
import { decodePng } from '../../../src/io/png.ts'

const frame = (value: number): Uint8Array => new Uint8Array(6).fill(value)
const options = { width: 3, height: 2, channels: 1, delay: 100, lastDelay: 900 } as const

/** Types and lengths of the chunks, in order. */
function chunks(bytes: Uint8Array): [type: string, data: Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const found: [string, Uint8Array][] = []
  for (let place = 8; place < bytes.length; place += 12 + view.getUint32(place)) {
    const type = String.fromCharCode(...bytes.subarray(place + 4, place + 8))
    found.push([type, bytes.subarray(place + 8, place + 8 + view.getUint32(place))])
  }
  return found
}

test('frames follow each other with their delays; a viewer without animation shows the first', () => {
  const bytes = encodeApng([frame(10), frame(20), frame(30)], options)
  expect(decodePng(bytes, 'animation').pixels).toEqual(frame(10)) // checks the checksums, too
  const found = chunks(bytes)
  expect(found.map(([type]) => type).join(' ')).toBe('IHDR acTL fcTL IDAT fcTL fdAT fcTL fdAT IEND')
  const numbers = found
    .filter(([type]) => type === 'fcTL' || type === 'fdAT')
    .map(([, data]) => new DataView(data.buffer, data.byteOffset).getUint32(0))
  expect(numbers).toEqual([0, 1, 2, 3, 4])
  const delays = found
    .filter(([type]) => type === 'fcTL')
    .map(([, data]) => new DataView(data.buffer, data.byteOffset).getUint16(20))
  expect(delays).toEqual([100, 100, 900])
})

test('there must be a frame', () => {
  expect(() => encodeApng([], options)).toThrow('encodeApng: at least one frame is needed, found none')
})
