import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { writeNpy } from '../../src/io/npy.ts'
import { readNpz, writeNpz } from '../../src/io/npz.ts'
import { collectWarnings } from '../support/warnings.ts'
import { arrays, described, expectDamaged, expectError, fixture, sample } from './samples.ts'

const warnings = collectWarnings()

test.each([false, true])('round trip, compressed: %s', (compress) => {
  const read = readNpz(writeNpz(arrays, { compress }))
  expect(read).toEqual({ format: 'npz', tensors: arrays, metadata: {} })
  expect([...read.tensors.keys()]).toEqual([...arrays.keys()])
})

test('the same arrays give the same bytes at any time', () => {
  expect(writeNpz(arrays)).toEqual(writeNpz(arrays))
})

test("NumPy's file: element types, byte orders, orders of axes", () => {
  const { tensors, leftOut } = readNpz(fixture('numpy.npz'))
  // 2^63 - 1 and 2^64 - 1.
  expect(leftOut).toEqual(new Map([['u8', 'unsigned numbers from 2^63 on']]))
  expect(warnings).toEqual([`npz: member "f8": 1 number beyond float32's range became infinite, such as 1e+300`])
  expect(described(tensors)).toEqual({
    f2: `float32[6] 0.5 -2 65504 ${2 ** -24} Infinity NaN`,
    f4: 'float32[2,1] 1.5 -0',
    f8: 'float32[3] 1.5 -0.25 Infinity',
    i1: 'int32[2] -128 127',
    i2: 'int32[2] -32768 32767',
    i4: 'int32[2] -2147483648 2147483647',
    i8: 'int64[2] -9223372036854775808 9223372036854775807',
    u1: 'uint8[2] 0 255',
    u2: 'int32[2] 65535 1',
    u4: 'int64[1] 4294967295',
    b1: 'bool[2] 1 0',
    bfloat16: 'float32[2] 1 -3.5',
    'big/f4': 'float32[2] 1 -2',
    'big/f2': 'float32[2] 0.5 -2',
    'big/i8': 'int64[1] 9007199254740993',
    'big/u2': 'int32[2] 1 65535',
    'fortran/2d': 'float32[2,3] 0 1 2 3 4 5',
    'fortran/3d': `int64[2,3,4] ${Array.from({ length: 24 }, (_, i) => 2n ** 53n + BigInt(i)).join(' ')}`,
    'fortran/big': 'int32[3,2] 0 1 2 3 4 5',
    scalar: 'int64[] 7',
    empty: 'float32[0,3]',
  })
})

test("NumPy's compressed file, with slashes in names", () => {
  const { tensors } = readNpz(fixture('compressed.npz'))
  expect([...tensors.keys()]).toEqual(['pre_logits/scale', 'step'])
  expect(tensors.get('pre_logits/scale')).toEqual({ dtype: 'float32', shape: [40, 50], data: new Float32Array(2000) })
})

test('folders are passed over, and names need no suffix', () => {
  const bytes = zipSync({ folder: { w: writeNpy(sample('mask')) }, 'empty/': new Uint8Array() })
  expect(readNpz(bytes).tensors).toEqual(new Map([['folder/w', sample('mask')]]))
})

describe('what is refused', () => {
  test('a name twice', () => {
    const bytes = zipSync({ 'a.npy': writeNpy(sample('mask')), a: writeNpy(sample('mask')) })
    expectDamaged(() => readNpz(bytes), 'npz: the name "a" occurs twice')
    expectError(
      () =>
        writeNpz([
          ['a', sample('mask')],
          ['a', sample('mask')],
        ]),
      'FormatError',
      'npz: member "a" is given twice',
      'give every array its own name',
    )
  })
  test('arrays of anything but numbers are left out', () => {
    expect(readNpz(fixture('objects.npz'))).toMatchObject({
      tensors: new Map(),
      leftOut: new Map([['o', 'array of |O']]),
    })
    const { tensors, leftOut } = readNpz(fixture('texts.npz'))
    expect(described(tensors)).toEqual({ weight: 'float32[2,3] 0 1 2 3 4 5' })
    expect(Object.fromEntries(leftOut ?? [])).toEqual({
      name: 'array of <U5',
      classes: 'array of |S2',
      objects: 'array of |O',
      day: 'array of <M8[D]',
      records: "array of [('a', '<f4'), ('b', [('c', '<i4', (2,))])]",
      complex: 'array of <c8',
      raw: 'array of |V5',
    })
  })
  test('members that are no arrays are left out', () => {
    const bytes = zipSync({ 'README.txt': Uint8Array.of(1, 2), 'a.npy': writeNpy(sample('mask')) })
    const { tensors, leftOut } = readNpz(bytes)
    expect([...tensors.keys()]).toEqual(['a'])
    expect(leftOut).toEqual(new Map([['README.txt', 'no array']]))
  })
  test('an archive of anything but arrays', () => {
    const bytes = zipSync({ 'a.txt': Uint8Array.of(1), 'b/c.txt': Uint8Array.of(1, 2) })
    expectError(
      () => readNpz(bytes),
      'FormatError',
      'npz: the archive holds no array, but "a.txt", "b/c.txt"',
      'a .npz file is a zip archive of .npy files',
    )
    expect(readNpz(writeNpz([])).tensors.size).toBe(0)
  })
  test('a member longer than its array, before it is unpacked', () => {
    const bytes = zipSync({ 'a.npy': Uint8Array.of(...writeNpy(sample('mask')), ...new Uint8Array(1e5)) })
    expectDamaged(() => readNpz(bytes), 'npz: member "a": the array takes 131 bytes, the archive says 100131')
  })
  test('more bytes than allowed', () => {
    expectError(
      () => readNpz(writeNpz([['a', sample('mask')]]), { maximumBytes: 100 }),
      'FormatError',
      'npz: unpacks to 131 bytes, at most 100 are read',
      'split the file, or save it without compression',
    )
  })
})
