import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { readZip } from '../../src/io/zip.ts'
import { bytesOfText, expectDamaged, expectError, patched } from './samples.ts'

const zeros = new Uint8Array(5000)
const stored = zipSync({ a: bytesOfText('abc'), b: bytesOfText('def') }, { level: 0 })
const deflated = zipSync({ zeros })

/** Where the n-th entry of the directory begins. */
function entryAt(bytes: Uint8Array, index: number): number {
  let at = -1
  for (let i = 0; i <= index; i++) at = Buffer.from(bytes).indexOf(Buffer.of(0x50, 0x4b, 1, 2), at + 1)
  return at
}

const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)]
const unpackAll = (bytes: Uint8Array): Uint8Array[] => readZip(bytes).map(({ unpack }) => unpack())

test('stored and deflated members', () => {
  expect(readZip(stored).map(({ name, size }) => [name, size])).toEqual([
    ['a', 3],
    ['b', 3],
  ])
  expect(unpackAll(stored)).toEqual([bytesOfText('abc'), bytesOfText('def')])
  expect(unpackAll(deflated)).toEqual([zeros])
  expect(readZip(zipSync({}))).toEqual([])
})

test('a checksum of 0 is none', () => {
  expect(unpackAll(patched(stored, entryAt(stored, 0) + 16, u32(0)))).toHaveLength(2)
})

test('sizes that stand behind the data alone, as streams write them', () => {
  // Flag 3, and neither checksum nor sizes before the data.
  const streamed = patched(patched(stored, 6, [8]), 14, [...u32(0), ...u32(0), ...u32(0)])
  expect(unpackAll(patched(streamed, entryAt(stored, 0) + 8, [8]))).toHaveLength(2)
})

test('a look at the beginning unpacks no more than that', () => {
  expect(readZip(deflated)[0]?.peek(10)).toEqual(new Uint8Array(10))
  expect(readZip(stored)[1]?.peek(10)).toEqual(bytesOfText('def'))
})

test('an archive with a comment, even one that looks like the end of an archive', () => {
  const comment = Buffer.concat([Buffer.of(0x50, 0x4b, 5, 6), Buffer.alloc(30)])
  const bytes = Uint8Array.of(...patched(stored, stored.length - 2, [comment.length, 0]), ...comment)
  expect(unpackAll(bytes)).toHaveLength(2)
})

describe('damage and lies', () => {
  const second = entryAt(stored, 1)
  const zerosEntry = entryAt(deflated, 0)
  const packed = new DataView(deflated.buffer).getUint32(zerosEntry + 20, true)
  test.each<[string, Uint8Array, string]>([
    ['no end', stored.subarray(0, -1), 'zip: the zip archive has no directory at its end'],
    ['hardly a byte', stored.subarray(0, 5), 'zip: the zip archive is cut off'],
    ['a damaged directory', patched(stored, second, [0]), 'zip: the zip directory is damaged'],
    ['a member over the end', patched(stored, second + 28, [0xff, 0xff]), 'zip: the zip directory is damaged'],
    ['a changed byte', patched(stored, 31, [0x78]), 'zip: member "a" does not have the checksum that the archive says'],
    ['two members in one place', patched(stored, second + 42, u32(0)), 'zip: member "b" lies inside of another'],
    ['a name twice', patched(stored, second + 46, [0x61]), 'zip: the member "a" occurs twice'],
    [
      'a stored member of another size',
      patched(stored, second + 24, u32(9)),
      'zip: member "b" claims to hold 9 bytes in 3',
    ],
    ['a member far outside', patched(stored, second + 42, u32(2 ** 31)), 'zip: the zip archive is cut off'],
    [
      'a member where none is',
      patched(stored, second + 42, u32(35)),
      'zip: member "b" is not where the directory says',
    ],
    [
      'more than deflate can pack',
      patched(deflated, zerosEntry + 24, u32(2 ** 31)),
      `zip: member "zeros" claims to hold 2147483648 bytes in ${packed}`,
    ],
    [
      'fewer bytes than there are',
      patched(deflated, zerosEntry + 24, u32(4999)),
      'zip: member "zeros" must unpack to 4999 bytes, found more',
    ],
    [
      'more bytes than there are',
      patched(deflated, zerosEntry + 24, u32(5001)),
      'zip: member "zeros" must unpack to 5001 bytes, found 5000',
    ],
    [
      'no deflate stream',
      patched(deflated, 35, [0xff, 0xff]),
      'zip: member "zeros" cannot be unpacked: invalid block type',
    ],
  ])('%s', (_case, bytes, message) => {
    expectDamaged(() => unpackAll(bytes), message)
  })
  test('encryption and other ways of packing', () => {
    const hint = 'stored and deflated members are read'
    const encrypted = patched(stored, second + 8, [1])
    expectError(() => unpackAll(encrypted), 'FormatError', 'zip: member "b" is encrypted', hint)
    const packedOtherwise = patched(stored, second + 10, [12])
    expectError(() => unpackAll(packedOtherwise), 'FormatError', 'zip: member "b" is packed with method 12', hint)
  })
  test('a name cannot break the line or hide in length', () => {
    const bytes = patched(zipSync({ [`\n${'x'.repeat(200)}`]: zeros }), 240, [0])
    expect(() => unpackAll(bytes)).toThrow(/^zip: member "\\nx{79}\.\.\." [^\n]*$/)
  })
})
