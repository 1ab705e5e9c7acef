/** Data sets made of others by reading their examples: filtered, cached; and the labels of any. */
import { elementCount, type NDArray, toNumbers } from '../tensor/dtype.ts'
import { UsageError } from '../util/errors.ts'
import { appendAll } from '../util/lists.ts'
import { mapValues } from '../util/records.ts'
import { type Batch, checkBatch, type Dataset, type Fields, subset } from './dataset.ts'
import { DataLoader } from './loader.ts'
import { allocateRows, checkIndices, copyRows, gatherRows } from './rows.ts'

/** Examples that are read at once: a few MiB of them. */
function readingSize({ length, fields }: Dataset): number {
  const elements = Object.values(fields).reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return Math.max(1, Math.min(length, 256, Math.floor(2 ** 22 / Math.max(1, elements))))
}

/** The label of every example: as the data set knows them, or read from its field `label`. */
export async function labelsOf(dataset: Dataset<'label'>): Promise<number[]> {
  if (dataset.labels) return Array.from(dataset.labels)
  const labels: number[] = []
  if (dataset.length === 0) return labels
  for await (const { label } of new DataLoader(dataset, { batchSize: readingSize(dataset) }))
    appendAll(labels, toNumbers(label.data))
  return labels
}

/**
 * The examples for which `keep` is true, in their order: each is read once to find that out, with the tensors of one example.
 * `await filterDataset(data, ({ label }) => Number(label.data[0]) < 5)`. Where labels decide and are known, `subset` reads nothing.
 */
export async function filterDataset<Name extends string>(
  dataset: Dataset<Name>,
  keep: (example: Readonly<Record<Name, NDArray>>, index: number) => boolean,
): Promise<Dataset<Name>> {
  const kept: number[] = []
  if (dataset.length === 0) return dataset
  let index = 0
  for await (const batch of new DataLoader(dataset, { batchSize: readingSize(dataset) })) {
    const end = Math.min(dataset.length, index + readingSize(dataset))
    for (let row = 0; index < end; row++, index++) if (keep(exampleOf(batch, row), index)) kept.push(index)
  }
  return subset(dataset, kept)
}

function exampleOf<Name extends string>(batch: Batch<Name>, row: number): Readonly<Record<Name, NDArray>> {
  return mapValues(batch, ({ dtype, shape: [, ...shape], data }) => {
    const size = elementCount(shape)
    return { dtype, shape, data: data.subarray(row * size, (row + 1) * size) }
  })
}

/** What a cache may take. */
export interface CacheOptions {
  /** Bytes of all examples together, at most. Default: 2 GiB. */
  readonly mostBytes?: number
}

/**
 * Keeps every example in memory once it has been read: for data that are decoded at each access. What is random must come after it:
 * `augmentPictures(cacheDataset(pictures), ...)`, or its first draw stays for all epochs. Throws a UsageError if it would take too much.
 */
export function cacheDataset<Name extends string>(
  dataset: Dataset<Name>,
  { mostBytes = 2 ** 31 }: CacheOptions = {},
): Dataset<Name> {
  const bytes = bytesOf(dataset.length, dataset.fields)
  if (bytes > mostBytes) {
    const mebibytes = (value: number): string => `${Math.ceil(value / 2 ** 20).toLocaleString('en')} MiB`
    throw new UsageError(
      `cacheDataset: ${dataset.length} examples take ${mebibytes(bytes)}, and ${mebibytes(mostBytes)} are allowed`,
      { hint: 'mostBytes allows more; smaller pictures take less' },
    )
  }
  let whole: Batch<Name> | undefined
  const isRead = new Uint8Array(dataset.length)
  return {
    ...dataset,
    async batch(indices, context) {
      checkIndices(indices, dataset.length)
      whole ??= mapValues(dataset.fields, (field) => allocateRows(dataset.length, field))
      const kept = whole
      const missing = [...new Set(Array.from(indices))].filter((index) => !isRead[index])
      if (missing.length > 0) {
        const found = checkBatch(await dataset.batch(missing, context), dataset.fields, missing.length)
        mapValues(kept, (target, name) => copyRows(found[name], target, undefined, missing))
        for (const index of missing) isRead[index] = 1
      }
      return mapValues(kept, (array) => gatherRows(array, indices))
    },
  }
}

function bytesOf(length: number, fields: Fields): number {
  return Object.values(fields).reduce((sum, field) => sum + length * allocateRows(1, field).data.byteLength, 0)
}
