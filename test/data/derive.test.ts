import { expect, test } from 'vitest'
import { augmentPictures, shiftPictures } from '../../src/data/augment/index.ts'
import { arrayDataset, concatDatasets, type Dataset, mapDataset, subset } from '../../src/data/dataset.ts'
import { cacheDataset, filterDataset, labelsOf } from '../../src/data/derive.ts'

const labels = Int32Array.from({ length: 600 }, (_, i) => (i * 7) % 10)
const pictures = arrayDataset({
  image: { dtype: 'uint8', shape: [600, 1, 2, 2], data: Uint8Array.from({ length: 2400 }, (_, i) => i) },
  label: { dtype: 'int32', shape: [600], data: labels },
})
const context = { epoch: 0, seed: 0 }

/** The same examples, read one by one, with how often. */
function counted(dataset: Dataset<'image' | 'label'>): { readonly data: Dataset<'image' | 'label'>; reads: number } {
  const state = {
    reads: 0,
    data: mapDataset(dataset, (batch, indices) => {
      state.reads += indices.length
      return batch
    }),
  }
  return state
}

test('labels are known of arrays, parts, sequences of sets and changed pictures, and read of all others', async () => {
  expect(pictures.labels).toEqual(labels)
  expect(concatDatasets([pictures, subset(pictures, [3])]).labels).toEqual([...labels, 1])
  expect(augmentPictures(shiftPictures(pictures, 1), { flip: true }).labels).toEqual(labels)
  const { data } = counted(pictures)
  expect(data.labels).toBeUndefined()
  expect(await labelsOf(data)).toEqual([...labels])
  const floats = arrayDataset({ label: { dtype: 'float32', shape: [2], data: Float32Array.of(0.5, 1) } })
  expect(floats.labels).toBeUndefined()
})

test('a filtered set has the examples for which the function holds, in their order', async () => {
  const some = await filterDataset(pictures, ({ image, label }, index) => {
    expect(image.shape).toEqual([1, 2, 2])
    return label.data[0] === 7 && index > 300
  })
  expect(some.length).toBe(30)
  const { image, label } = await some.batch([0, 29], context)
  expect([...label.data]).toEqual([7, 7])
  expect([...image.data].slice(0, 2)).toEqual([(4 * 301) % 256, (4 * 301 + 1) % 256])
  expect(some.labels?.length).toBe(30)
})

test('a cached set reads each example once, and gives arrays that are the consumer’s own', async () => {
  const source = counted(pictures)
  const cached = cacheDataset(source.data)
  const first = await cached.batch([5, 9, 5], context)
  ;(first.image.data as Uint8Array).fill(0)
  const again = await cached.batch([9, 5, 7], context)
  expect(source.reads).toBe(3)
  expect(again).toEqual(await pictures.batch([9, 5, 7], context))
  const wrong = mapDataset(pictures, ({ image, label }) => ({ image: { ...image, data: image.data.slice(4) }, label }))
  await expect(cacheDataset(wrong).batch([0, 1], context)).rejects.toThrow(
    'dataset: batch field "image": shape [2, 1, 2, 2] needs 8 elements, found 4',
  )
  const other = mapDataset(pictures, ({ image, label }) => ({ image: { ...image, data: Int32Array.of(1) }, label }))
  await expect(cacheDataset(other).batch([0], context)).rejects.toThrow(
    'dataset: batch field "image": uint8 is stored as Uint8Array, found Int32Array',
  )
  expect(() => cacheDataset(pictures, { mostBytes: 4799 })).toThrow('cacheDataset: 600 examples take 1 MiB')
})
