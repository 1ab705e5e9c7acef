import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/data/dataset.ts'
import { writeNpz } from '../../../src/io/npz.ts'
import { type ArrayDataSettings, arrayDataSettings, openArrayFiles } from '../../../src/tasks/arrays/files.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { context, told, withFolder } from '../../data/support.ts'

const floats = (shape: number[], value: (i: number) => number = (i) => (i % 7) / 7): NDArray => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
})
const bytes = (dtype: 'uint8' | 'bool', shape: number[], value: (i: number) => number): NDArray => ({
  dtype,
  shape,
  data: Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
})
const ints = (values: readonly number[]): NDArray => ({
  dtype: 'int32',
  shape: [values.length],
  data: Int32Array.from(values),
})

const classes = Array.from({ length: 12 }, (_, i) => i % 3)
const inputs = floats([12, 4, 2], (i) => i)
const labels = ints(classes)

type Arrays = Readonly<Record<string, NDArray>>

async function open(folder: string, arrays: Arrays, settings: Partial<ArrayDataSettings> = {}) {
  const file = join(folder, 'a.npz')
  await writeFile(file, writeNpz(Object.entries(arrays)))
  return openArrayFiles({ ...arrayDataSettings.parse({}), file, ...settings })
}

const failure = (arrays: Arrays, settings: Partial<ArrayDataSettings> = {}) =>
  withFolder(async (folder) => (await told(() => open(folder, arrays, settings))).replaceAll(folder, '.'))

describe('what is read', () => {
  test('inputs, positions that are the same for all, and a mask', () =>
    withFolder(async (folder) => {
      const positions = floats([1, 4, 1], (i) => i / 4)
      const mask = bytes('bool', [12, 4], (i) => (i % 4 < 3 ? 1 : 0))
      const { train, test, facts, opening } = await open(folder, { inputs, positions, mask, labels, names: labels })
      expect(facts).toEqual({
        labels: ['0', '1', '2'],
        classes_per_example: 'one',
        inputs: {
          inputs: { dtype: 'float32', shape: [4, 2] },
          positions: { dtype: 'float32', shape: [4, 1] },
          mask: { dtype: 'bool', shape: [4] },
        },
        windows: 1,
      })
      expect(opening.summary).toBe(
        `12 examples inputs float32 [N, 4, 2], positions float32 [N, 4, 1], mask bool [N, 4]; 3 classes; names not read; ${train.length} examples to train on, ${test.length} to test with`,
      )
      const batch: Batch = await train.batch([0, 1], context)
      expect([...(batch.positions?.data ?? [])]).toEqual([0, 0.25, 0.5, 0.75, 0, 0.25, 0.5, 0.75])
      expect(batch.mask?.shape).toEqual([2, 4])
    }))

  test('any number of classes; pixels stay bytes', () =>
    withFolder(async (folder) => {
      const pixels = bytes('uint8', [12, 4, 1], (i) => i)
      const sets = bytes('uint8', [12, 2], (i) => i % 2)
      const { train, facts } = await open(folder, { inputs: pixels, labels: sets })
      expect(facts).toMatchObject({ classes_per_example: 'any', labels: ['0', '1'] })
      const { label, inputs: rows }: Batch = await train.batch([0], context)
      expect([label?.dtype, [...(label?.data ?? [])], rows?.dtype]).toEqual(['float32', [0, 1], 'uint8'])
    }))

  test('a run finds its examples again, in any order, and leaves out new ones', () =>
    withFolder(async (folder) => {
      const first = await open(folder, { inputs, labels })
      const more = floats([13, 4, 2], (i) => (i < 8 ? -1 : i - 8))
      const known = { facts: first.facts, record: first.opening.record }
      const file = join(folder, 'more.npz')
      await writeFile(file, writeNpz([['inputs', more] as const, ['labels', ints([0, ...classes])] as const]))
      const again = await openArrayFiles({ ...arrayDataSettings.parse({}), file }, known)
      expect([again.train.length, again.test.length]).toEqual([first.train.length, first.test.length])
      expect(again.opening.changes).toBe('1 example new, left out')
    }))
})

describe('what is refused, in one line', () => {
  const nan = floats([12, 4, 2], (i) => (i === 9 ? Number.NaN : i))
  test.each<[string, Arrays, string]>([
    [
      'no inputs',
      { x: inputs, labels },
      'FormatError: ./a.npz: must have an array "inputs" [N, M, C], found "x", "labels"',
    ],
    [
      'inputs without channels',
      { inputs: floats([12, 4]), labels },
      'FormatError: ./a.npz: "inputs" must be numbers [N, M, C], found float32 [12, 4] | N examples of M rows with C channels; one channel: inputs[..., None]',
    ],
    ['no labels', { inputs }, 'FormatError: ./a.npz: must have an array "labels" to train on, found none'],
    [
      'labels of other examples',
      { inputs, labels: ints([1, 2]) },
      'FormatError: ./a.npz: "labels" must be class numbers [12], or 0 and 1 for each class [12, K], found int32 [2]',
    ],
    [
      'a column of labels',
      { inputs, labels: { ...labels, shape: [12, 1] } },
      'FormatError: ./a.npz: "labels" must be class numbers [12], or 0 and 1 for each class [12, K], found int32 [12, 1] | class numbers are labels[:, 0]',
    ],
    [
      'shares of classes',
      { inputs, labels: floats([12, 2], () => 0.5) },
      'FormatError: ./a.npz: "labels" must be class numbers [12], or 0 and 1 for each class [12, K], found 0.5 in float32 [12, 2]',
    ],
    [
      'labels that are no class numbers',
      { inputs, labels: ints(classes.map((label, i) => (i === 5 ? -1 : label))) },
      'UsageError: ./a.npz: 1 entry cannot be used: example 5: the label must be a class number from 0 on, found -1 | --set data.on_error=skip leaves them out',
    ],
    [
      'numbers that are not finite',
      { inputs: nan, labels },
      'UsageError: ./a.npz: 1 entry cannot be used: example 1: "inputs" has a number that is NaN | --set data.on_error=skip leaves them out',
    ],
    [
      'positions of other rows',
      { inputs, labels, positions: floats([12, 3, 1]) },
      'FormatError: ./a.npz: "positions" must be numbers [12 or 1, 4, d], a place for each row of the inputs, found float32 [12, 3, 1]',
    ],
    [
      'positions that are not scaled',
      { inputs, labels, positions: floats([1, 4, 1], (i) => i) },
      'FormatError: ./a.npz: "positions" must be from -1 to 1, found 2 | scale each axis: 2 * (x - min) / (max - min) - 1',
    ],
    [
      'a mask of other rows',
      { inputs, labels, mask: bytes('bool', [12, 3], () => 1) },
      'FormatError: ./a.npz: "mask" must be [12, 4], true for each row that may be read, found bool [12, 3]',
    ],
    [
      'a mask of other numbers',
      { inputs, labels, mask: bytes('uint8', [12, 4], () => 2) },
      'FormatError: ./a.npz: "mask" must be true and false, or 1 and 0, found 2',
    ],
    [
      'one class',
      { inputs, labels: ints(classes.map(() => 1)) },
      'UsageError: ./a.npz: there must be at least two classes, found only "1" (12 examples)',
    ],
    [
      'sets of classes that are all empty',
      { inputs, labels: floats([12, 2], () => 0) },
      'UsageError: ./a.npz: at least one example to train on must have a class, found none in 10 examples',
    ],
  ])('%s', async (_, arrays, message) => {
    expect(await failure(arrays)).toBe(message)
  })

  test('examples that cannot be used are left out where the user chooses so', () =>
    withFolder(async (folder) => {
      const { train, test: held, opening } = await open(folder, { inputs: nan, labels }, { on_error: 'skip' })
      expect(train.length + held.length).toBe(11)
      expect(opening.summary).toMatch(/; 1 left out \(example 1: "inputs" has a number that is NaN\); /)
    }))

  test('a test file of another form, or with other classes', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'test.npz')
      const against = async (arrays: Arrays): Promise<string> => {
        await writeFile(file, writeNpz(Object.entries(arrays)))
        return (await told(() => open(folder, { inputs, labels }, { test: file }))).replaceAll(folder, '.')
      }
      expect(await against({ inputs: floats([2, 5, 2]), labels: ints([0, 1]) })).toBe(
        'FormatError: ./test.npz: must have inputs float32 [N, 4, 2], found inputs float32 [N, 5, 2]',
      )
      expect(await against({ inputs: floats([2, 4, 2]), labels: ints([0, 3]) })).toBe(
        'FormatError: ./test.npz: "labels" must be class numbers 0 to 2, as the data trained on, found class 3',
      )
    }))

  test('no file', async () => {
    expect(await told(() => openArrayFiles(arrayDataSettings.parse({})))).toBe(
      'UsageError: data.file must name a file of arrays, found "" | --set data.file=FILE.npz, with inputs [N, M, C] and labels [N] or [N, K]',
    )
  })
})
