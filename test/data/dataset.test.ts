import { describe, expect, test } from 'vitest'
import { arrayDataset, checkBatch, concatDatasets, mapDataset, splitDataset, subset } from '../../src/data/dataset.ts'
import { fromNumbers, type NDArray } from '../../src/tensor/dtype.ts'
import { context, counting, numbers, told } from './support.ts'

const image: NDArray = { dtype: 'uint8', shape: [4, 2, 1], data: Uint8Array.from([0, 1, 10, 11, 20, 21, 30, 31]) }
const label: NDArray = { dtype: 'int64', shape: [4], data: BigInt64Array.from([5n, 6n, 7n, 8n]) }
const value: NDArray = { dtype: 'float32', shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i / 2) }

describe('arrayDataset', () => {
  test('gathers rows of every dtype in the order of the indices, into arrays of its own', async () => {
    const dataset = arrayDataset({ image, label, value })
    expect(dataset.length).toBe(4)
    expect(dataset.fields).toEqual({
      image: { dtype: 'uint8', shape: [2, 1] },
      label: { dtype: 'int64', shape: [] },
      value: { dtype: 'float32', shape: [3] },
    })
    const batch = await dataset.batch([3, 0, 3], context)
    expect(batch).toEqual({
      image: { dtype: 'uint8', shape: [3, 2, 1], data: Uint8Array.from([30, 31, 0, 1, 30, 31]) },
      label: { dtype: 'int64', shape: [3], data: BigInt64Array.from([8n, 5n, 8n]) },
      value: { dtype: 'float32', shape: [3, 3], data: Float32Array.from([4.5, 5, 5.5, 0, 0.5, 1, 4.5, 5, 5.5]) },
    })
    batch.image.data.fill(99 as never)
    expect(numbers(await dataset.batch([3], context), 'image')).toEqual([30, 31])
  })

  test('reads arrays that are views of a larger buffer', async () => {
    const data = new Uint8Array(image.data.buffer, 2, 4)
    const dataset = arrayDataset({ image: { dtype: 'uint8', shape: [2, 2], data } })
    expect(numbers(await dataset.batch([1], context), 'image')).toEqual([20, 21])
  })

  test('says what does not fit', async () => {
    expect(await told(() => arrayDataset({}))).toMatchInlineSnapshot(
      `"UsageError: arrayDataset: at least one array is needed, found none"`,
    )
    expect(await told(() => arrayDataset({ image, value: { ...value, shape: [3, 4] } }))).toMatchInlineSnapshot(
      `"ShapeError: arrayDataset: all arrays must have the same number of rows, "image" has 4, "value" has 3"`,
    )
    expect(await told(() => arrayDataset({ value: { ...value, shape: [4, 4] } }))).toMatchInlineSnapshot(
      `"ShapeError: arrayDataset: "value": shape [4, 4] needs 16 elements, found 12"`,
    )
    expect(
      await told(() => arrayDataset({ value: { ...value, shape: [], data: new Float32Array(1) } })),
    ).toMatchInlineSnapshot(`"ShapeError: arrayDataset: "value" must have its examples on axis 0, found float32 []"`)
    expect(await told(() => arrayDataset({ image: { ...image, dtype: 'float32' } }))).toMatchInlineSnapshot(
      `"UsageError: arrayDataset: "image": float32 is stored as Float32Array, found Uint8Array"`,
    )
    expect(
      await told(() => arrayDataset({ mask: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 2) } })),
    ).toMatchInlineSnapshot(`"ShapeError: arrayDataset: "mask": bool holds 0 or 1, found 2 at element 1"`)
    expect(await told(() => arrayDataset({ image }).batch([4], context))).toMatchInlineSnapshot(
      `"UsageError: dataset: an index must be a whole number from 0 to 3, found 4"`,
    )
    expect(await told(() => arrayDataset({ image }).batch([0.5], context))).toMatchInlineSnapshot(
      `"UsageError: dataset: an index must be a whole number from 0 to 3, found 0.5"`,
    )
  })
})

test('subset takes the examples in the given order', async () => {
  const dataset = subset(arrayDataset({ image, label }), [2, 2, 0])
  expect(dataset.length).toBe(3)
  expect(numbers(await dataset.batch([2, 1, 0], context), 'label')).toEqual([5, 7, 7])
  expect(await told(() => subset(arrayDataset({ image }), [4]))).toMatchInlineSnapshot(
    `"UsageError: dataset: an index must be a whole number from 0 to 3, found 4"`,
  )
  expect(await told(() => dataset.batch([3], context))).toMatchInlineSnapshot(
    `"UsageError: dataset: an index must be a whole number from 0 to 2, found 3"`,
  )
})

test('splitDataset: disjoint, complete, repeatable, in order, by seed', async () => {
  const all = async (seed: number) => {
    const parts = splitDataset(counting(100), 0.25, seed)
    expect(parts.map((part) => part.length)).toEqual([25, 75])
    const [a, b] = await Promise.all(
      parts.map(async (part) => numbers(await part.batch([...Array(part.length).keys()], context), 'x')),
    )
    return { a: a ?? [], b: b ?? [] }
  }
  const { a, b } = await all(3)
  expect([...a, ...b].sort((x, y) => x - y)).toEqual([...Array(100).keys()])
  expect(a).toEqual(a.toSorted((x, y) => x - y))
  expect(await all(3)).toEqual({ a, b })
  expect((await all(4)).a).not.toEqual(a)
  expect(await told(() => splitDataset(counting(3), 1.5, 0))).toMatchInlineSnapshot(
    `"UsageError: splitDataset: fraction must be from 0 to 1, found 1.5"`,
  )
})

test('mapDataset transforms batches and knows their indices and epoch', async () => {
  const dataset = mapDataset(
    counting(10),
    (batch, indices, { epoch }) => ({
      y: {
        dtype: 'float32',
        shape: [indices.length],
        data: fromNumbers(
          'float32',
          numbers(batch, 'x').map((x) => x / 2 + epoch),
        ),
      },
    }),
    { y: { dtype: 'float32', shape: [] } },
  )
  expect(dataset.fields).toEqual({ y: { dtype: 'float32', shape: [] } })
  expect(numbers(await dataset.batch([3, 9], { epoch: 100, seed: 0 }), 'y')).toEqual([101.5, 104.5])
})

test('concatDatasets: one behind the other, mixed batches in the order of the indices', async () => {
  const dataset = concatDatasets([
    arrayDataset({ image, label }),
    subset(arrayDataset({ label, image }), []),
    subset(arrayDataset({ label, image }), [3, 1]),
  ])
  expect(dataset.length).toBe(6)
  const batch = await dataset.batch([5, 0, 4, 3], context)
  expect(numbers(batch, 'label')).toEqual([6, 5, 8, 8])
  expect(numbers(batch, 'image')).toEqual([10, 11, 0, 1, 30, 31, 30, 31])
  expect(await told(() => concatDatasets([]))).toMatchInlineSnapshot(
    `"UsageError: concatDatasets: at least one dataset is needed, found none"`,
  )
  expect(
    await told(() => concatDatasets([arrayDataset({ label, image }), arrayDataset({ image })])),
  ).toMatchInlineSnapshot(
    `"ShapeError: concatDatasets: all must have the fields of the first, image uint8 [2, 1], label int64 []; number 1 has image uint8 [2, 1]"`,
  )
})

test('checkBatch: names, dtypes, shapes and lengths', async () => {
  const fields = { x: { dtype: 'int32', shape: [2] } } as const
  const x = { dtype: 'int32', shape: [1, 2], data: new Int32Array(2) } as const
  expect(checkBatch({ x }, fields, 1)).toEqual({ x })
  expect(await told(() => checkBatch({ x }, fields, 2))).toMatchInlineSnapshot(
    `"ShapeError: dataset: batch field "x" must be int32 [2, 2], found int32 [1, 2]"`,
  )
  expect(await told(() => checkBatch({ x: { ...x, data: new Int32Array(3) } }, fields, 1))).toMatchInlineSnapshot(
    `"ShapeError: dataset: batch field "x": shape [1, 2] needs 2 elements, found 3"`,
  )
  expect(await told(() => checkBatch({}, fields, 1))).toMatchInlineSnapshot(
    `"ShapeError: dataset: batch field "x" must be int32 [1, 2], found nothing"`,
  )
  expect(await told(() => checkBatch({ x, toString: x }, fields, 1))).toMatchInlineSnapshot(
    `"ShapeError: dataset: a batch must have the fields x, found also "toString" | declare what a transform adds in the third argument of mapDataset"`,
  )
})
