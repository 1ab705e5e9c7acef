import { describe, expect, test } from 'vitest'
import { readableHeader, readNpy, readNpyHeader, writeNpy } from '../../src/io/npy.ts'
import { arrays, expectDamaged, expectError, fixture, patched, sample } from './samples.ts'

/** A .npy file of version 1 with this header and as many bytes of data. */
function file(header: string, dataLength: number): Uint8Array {
  const text = Buffer.from(header, 'latin1')
  return new Uint8Array(
    Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.of(text.length & 0xff, text.length >> 8),
      text,
      Buffer.alloc(dataLength),
    ]),
  )
}

const plain = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`

test.each([...arrays])('round trip: %s', (_name, array) => {
  expect(readNpy(writeNpy(array))).toEqual(array)
})

test('what is written is what NumPy writes', () => {
  const array = { dtype: 'int32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) } as const
  expect(writeNpy(array)).toEqual(fixture('version-1.npy'))
})

test.each([1, 2, 3])('version %i, as NumPy writes it', (version) => {
  const array = readNpy(fixture(`version-${version}.npy`))
  expect(array).toEqual({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) })
})

test('the header alone tells how long the file is', () => {
  const bytes = writeNpy(sample('layer/kernel'))
  const header = readNpyHeader(bytes.subarray(0, 128))
  expect(readableHeader(header, 'npy').fileSize).toBe(bytes.length)
  expect(header).toEqual({
    dtype: '<f4',
    element: 'f32',
    littleEndian: true,
    fortranOrder: false,
    shape: [2, 3],
    offset: 128,
  })
})

test('members in any order, and the sizes of Python 2', () => {
  const array = readNpy(file(`{'shape': (2L, 1), 'fortran_order': True, 'descr': '|u1'}`, 2))
  expect(array).toEqual({ dtype: 'uint8', shape: [2, 1], data: new Uint8Array(2) })
})

describe('what the format does not allow', () => {
  const valid = writeNpy(sample('mask'))
  test.each<[string, Uint8Array, string]>([
    ['only a magic', valid.subarray(0, 6), 'npy: the header is cut off'],
    ['half a header', valid.subarray(0, 100), 'npy: the header is cut off'],
    ['a huge header', patched(valid, 8, [0xff, 0xff]), 'npy: the header must have at most 10000 bytes, found 65535'],
    ['a short body', valid.subarray(0, -1), 'npy: shape [3] of bool needs 3 bytes, found 2'],
    ['a long body', Uint8Array.of(...valid, 0), 'npy: shape [3] of bool needs 3 bytes, found 4'],
    [
      'no shape',
      file("{'descr': '<f4', 'fortran_order': False}", 0),
      "npy: the header must have descr, fortran_order and shape, found \"{'descr': '<f4', 'fortran_order': False}\"",
    ],
    [
      'code after the dict',
      file(`${plain("'<f4'", '()')} + f()`, 4),
      "npy: the header must have descr, fortran_order and shape, found \"{'descr': '<f4', 'fortran_order': False, 'shape': (), } + f()\"",
    ],
    [
      'a shape beyond all numbers',
      file(plain("'<f4'", `(${'9'.repeat(400)}, 0)`), 0),
      `npy: the header must have descr, fortran_order and shape, found "{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(29)}..."`,
    ],
    [
      'a truncated Fortran array',
      file(plain("'<f4'", '(2, 3)', 'True'), 8),
      'npy: shape [2, 3] of f32 needs 24 bytes, found 8',
    ],
  ])('%s', (_case, bytes, message) => {
    expectDamaged(() => readNpy(bytes), message)
  })
  test('another kind of file, another version', () => {
    const hint = 'write it with numpy.save or numpy.savez'
    expectError(() => readNpy(new Uint8Array(20)), 'FormatError', 'npy: does not begin as a .npy file', hint)
    expectError(
      () => readNpy(patched(valid, 6, [9])),
      'FormatError',
      "npy: the format's version must be 1 to 3, found 9",
      hint,
    )
  })
  test.each([
    ["'|O'", '|O'],
    ["'<c8'", '<c8'],
    ["'<M8[ns]'", '<M8[ns]'],
    ["[('a', '<f4')]", "[('a', '<f4')]"],
  ])('elements of type %s', (descr, shown) => {
    expectError(
      () => readNpy(file(plain(descr, '(1,)'), 8)),
      'FormatError',
      `npy: the dtype "${shown}" is not read`,
      'save arrays of plain numbers: array.astype("float32"), or "int64" or "bool"',
    )
  })
})
