import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNpy, writeNpy } from '../../src/io/npy.ts'
import { readNpz, writeNpz } from '../../src/io/npz.ts'
import { readPytorch } from '../../src/io/pytorch.ts'
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts'
import { parseTensorFile, type TensorFile } from '../../src/io/tensor-file.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { FormatError } from '../../src/util/errors.ts'

const arrays: Record<string, NDArray> = {
  'layer/kernel': {
    dtype: 'float32',
    shape: [2, 3],
    data: Float32Array.of(1, -2.5, 3, Number.NaN, Number.POSITIVE_INFINITY, 6),
  },
  steps: { dtype: 'int64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) },
  mask: { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) },
  bytes: { dtype: 'uint8', shape: [1, 2], data: Uint8Array.of(0, 255) },
  index: { dtype: 'int32', shape: [2, 1, 1], data: Int32Array.of(-7, 2 ** 31 - 1) },
  empty: { dtype: 'float32', shape: [0, 4], data: new Float32Array() },
}

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/io/${name}`, import.meta.url))

describe('round trips', () => {
  test('safetensors', () => {
    const file = readSafetensors(writeSafetensors(Object.entries(arrays), { note: 'ü' }))
    expect(file.metadata).toEqual({ note: 'ü' })
    expect(Object.fromEntries(file.tensors)).toEqual(arrays)
  })
  test.each([false, true])('npz, compressed: %s', (compress) => {
    expect(Object.fromEntries(readNpz(writeNpz(Object.entries(arrays), { compress })).tensors)).toEqual(arrays)
  })
  test.each(Object.entries(arrays))('npy %s', (_name, array) => {
    expect(readNpy(writeNpy(array))).toEqual(array)
  })
})

describe('files of other programs', () => {
  test('NumPy: orders, widths, byte orders', () => {
    const { tensors } = readNpz(fixture('numpy.npz'))
    expect(
      Object.fromEntries(
        [...tensors].map(([name, { dtype, shape, data }]) => [
          name,
          [dtype, shape, Array.from(data as Float32Array, Number)],
        ]),
      ),
    ).toEqual({
      f2: ['float32', [3], [0.5, -2, 65504]],
      f8: ['float32', [2], [1.5, -0.25]],
      fortran: ['float32', [2, 3], [0, 1, 2, 3, 4, 5]],
      big: ['int32', [2], [1, -2]],
      u2: ['int32', [2], [65535, 1]],
      u4: ['int64', [1], [4294967295]],
      flag: ['bool', [2], [1, 0]],
      scalar: ['int64', [], [7]],
    })
  })
  test('PyTorch: nested, strided, shared, half', () => {
    const { tensors, metadata } = readPytorch(fixture('checkpoint.pt'))
    expect(
      Object.fromEntries(
        [...tensors].map(([name, { dtype, shape, data }]) => [
          name,
          [dtype, shape, Array.from(data as Float32Array, Number)],
        ]),
      ),
    ).toEqual({
      'state_dict.fc.weight': ['float32', [2, 3], [0, 1, 2, 3, 4, 5]],
      'state_dict.fc.transposed': ['float32', [3, 2], [0, 3, 1, 4, 2, 5]],
      'state_dict.half': ['float32', [2], [0.5, -1.5]],
      'state_dict.bfloat': ['float32', [2], [1, -3]],
      'state_dict.window': ['float32', [2], [4, 5]],
      'optimizer.0': ['int64', [], [12]],
      'optimizer.1': ['bool', [2], [1, 0]],
    })
    expect(metadata).toEqual({ epoch: '3', name: 'run', lr: '0.1' })
  })
  test('a checkpoint that asks to run something is refused by name', () => {
    expect(() => readPytorch(fixture('evil.pt'))).toThrowError(
      expect.objectContaining({ message: 'PyTorch checkpoint: asks to run "posix.system": refused' }),
    )
  })
  test('formats are told apart by content', async () => {
    const formats = await Promise.all(
      [fixture('numpy.npz'), fixture('checkpoint.pt'), writeSafetensors([]), writeNpy(arrays.mask as NDArray)].map(
        async (bytes) => (await parseTensorFile(bytes)).format,
      ),
    )
    expect(formats).toEqual(['npz', 'pytorch', 'safetensors', 'npy'])
    await expect(parseTensorFile(Uint8Array.of(0x80, 2, 0))).rejects.toThrow(
      'is a pickle: a PyTorch checkpoint of before 1.6',
    )
  })
})

describe('damaged files end in a FormatError or are read', () => {
  const valid: Record<string, [Uint8Array, (bytes: Uint8Array) => TensorFile | NDArray]> = {
    safetensors: [writeSafetensors(Object.entries(arrays), { a: 'b' }), readSafetensors],
    npy: [writeNpy(arrays['layer/kernel'] as NDArray), readNpy],
    npz: [writeNpz(Object.entries(arrays), { compress: true }), readNpz],
    pytorch: [fixture('checkpoint.pt'), readPytorch],
  }
  test.each(Object.entries(valid))('%s', (_name, [bytes, read]) => {
    const edits = fc.array(fc.record({ at: fc.nat(bytes.length - 1), value: fc.integer({ min: 0, max: 255 }) }), {
      minLength: 1,
      maxLength: 6,
    })
    const cut = fc.record({
      from: fc.nat(bytes.length),
      length: fc.nat(bytes.length),
      insert: fc.uint8Array({ maxLength: 16 }),
      splice: fc.boolean(),
    })
    fc.assert(
      fc.property(edits, cut, (changes, { from, length, insert, splice }) => {
        let mutated = bytes.slice()
        for (const { at, value } of changes) mutated[at] = value
        if (splice)
          mutated = Uint8Array.from([...mutated.subarray(0, from), ...insert, ...mutated.subarray(from + length)])
        try {
          read(mutated)
        } catch (error) {
          if (!(error instanceof FormatError)) throw error
        }
      }),
      { seed: 7, numRuns: 1500 },
    )
  })
})

test.each<[string, () => unknown, string]>([
  [
    'short',
    () => readSafetensors(new Uint8Array(3)),
    "safetensors: the file has 3 bytes, fewer than its header's length takes",
  ],
  [
    'header too long',
    () => readSafetensors(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1)),
    'safetensors: the header says it has 9 bytes, the file has 1 after it',
  ],
  ['not npy', () => readNpy(new Uint8Array(20)), 'npy: does not begin as a .npy file'],
  ['not zip', () => readNpz(new Uint8Array(30)), 'npz: the zip archive has no directory: it is cut off or no archive'],
])('message: %s', (_name, call, message) => {
  expect(call).toThrowError(expect.objectContaining({ name: 'FormatError', message }))
})
