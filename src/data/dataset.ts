import { type DType, elementCount, type NDArray } from '../tensor/dtype.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { allocateRows, checkIndices, copyRows, gatherRows } from './rows.ts'
import { splitRandomly } from './split.ts'

/** The dtype and shape that one named tensor has in every example. */
export interface Field {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Named tensors of several examples, stacked on axis 0. */
export type Batch = Record<string, NDArray>

/** What a batch may depend on beside its indices. Random augmentation must be a pure function of seed, epoch and index. */
export interface BatchContext {
  readonly epoch: number
  readonly seed: number | bigint
}

/**
 * Examples 0 to length - 1, each a record of named tensors that have the same dtype and shape in every example.
 * `batch` returns exactly one row for each index, in the order of the indices, in arrays of its own that it never writes again.
 */
export interface Dataset {
  readonly length: number
  readonly fields: Readonly<Record<string, Field>>
  /** What field `label` has in each example, where that is known without reading the examples. */
  readonly labels?: ArrayLike<number>
  batch(indices: ArrayLike<number>, context: BatchContext): Batch | Promise<Batch>
}

/** A dataset of arrays in memory, examples on axis 0: `arrayDataset({ image: [n, 28, 28], label: [n] })`. Nothing is copied. */
export function arrayDataset(arrays: Readonly<Record<string, NDArray>>): Dataset {
  const entries = Object.entries(arrays)
  const length = entries[0]?.[1].shape[0] ?? 0
  const fields: Record<string, Field> = {}
  for (const [name, array] of entries) {
    const { dtype, shape, data } = array
    const found = `found ${describe(array)} of ${data.length} elements`
    if (shape.length === 0) throw new ShapeError(`arrayDataset: "${name}" must have its examples on axis 0, ${found}`)
    if (data.length !== elementCount(shape)) {
      throw new ShapeError(`arrayDataset: "${name}" must have as many elements as its shape says, ${found}`)
    }
    if (shape[0] !== length) {
      throw new ShapeError(
        `arrayDataset: all arrays must have equally many rows, "${entries[0]?.[0]}" has ${length}, "${name}" has ${shape[0]}`,
      )
    }
    fields[name] = { dtype, shape: shape.slice(1) }
  }
  if (entries.length === 0) throw new UsageError('arrayDataset: at least one array is needed, found none')
  return {
    length,
    fields,
    batch(indices) {
      checkIndices(indices, length)
      return Object.fromEntries(entries.map(([name, array]) => [name, gatherRows(array, indices)]))
    },
  }
}

/** The examples `indices` of a dataset, in that order; an index may occur more than once. */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  checkIndices(indices, dataset.length)
  const chosen = Array.from(indices)
  const { labels } = dataset
  return {
    length: chosen.length,
    fields: dataset.fields,
    ...(labels && { labels: chosen.map((index) => labels[index] ?? 0) }),
    batch(rows, context) {
      checkIndices(rows, chosen.length)
      return dataset.batch(
        Array.from(rows, (row) => chosen[row] ?? 0),
        context,
      )
    },
  }
}

/**
 * Two disjoint parts: round(fraction * length) examples drawn at random, and the rest. The same seed gives the same parts;
 * in each the examples keep their order.
 */
export function splitDataset(dataset: Dataset, fraction: number, seed: number | bigint): [Dataset, Dataset] {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new UsageError(`splitDataset: fraction must be from 0 to 1, found ${fraction}`)
  }
  const { train, test } = splitRandomly(dataset.length, Math.round(fraction * dataset.length), seed)
  return [subset(dataset, test), subset(dataset, train)]
}

/**
 * A dataset whose batches go through `transform` (batch, its example indices, context), which keeps the rows and their order.
 * `fields` says what comes out; left out: the same as goes in.
 */
export function mapDataset(
  dataset: Dataset,
  transform: (batch: Batch, indices: ArrayLike<number>, context: BatchContext) => Batch | Promise<Batch>,
  fields: Readonly<Record<string, Field>> = dataset.fields,
): Dataset {
  return {
    length: dataset.length,
    fields,
    async batch(indices, context) {
      return transform(await dataset.batch(indices, context), indices, context)
    },
  }
}

/** The examples of several datasets with the same fields, one set after the other. */
export function concatDatasets(datasets: readonly Dataset[]): Dataset {
  const [first] = datasets
  if (first === undefined) throw new UsageError('concatDatasets: at least one dataset is needed, found none')
  const wanted = describeFields(first.fields)
  const starts: number[] = []
  let length = 0
  for (const [i, dataset] of datasets.entries()) {
    const found = describeFields(dataset.fields)
    if (found !== wanted) {
      throw new ShapeError(`concatDatasets: all must have the fields of the first, ${wanted}; number ${i} has ${found}`)
    }
    starts.push(length)
    length += dataset.length
  }
  return {
    length,
    fields: first.fields,
    async batch(indices, context) {
      checkIndices(indices, length)
      const whole: Batch = {}
      for (const [name, field] of Object.entries(first.fields)) whole[name] = allocateRows(indices.length, field)
      const parts = datasets.map(async (dataset, i) => {
        const start = starts[i] ?? 0
        const rows = rowsWithin(indices, start, start + dataset.length)
        if (rows.length === 0) return
        const local = rows.map((row) => (indices[row] ?? 0) - start)
        const part = checkBatch(await dataset.batch(local, context), first.fields, rows.length)
        for (const [name, target] of Object.entries(whole)) {
          const source = part[name]
          if (source !== undefined) copyRows(source, target, undefined, rows)
        }
      })
      await Promise.all(parts)
      return whole
    },
  }
}

/** The rows whose indices are from `start` to `end` - 1. */
function rowsWithin(indices: ArrayLike<number>, start: number, end: number): number[] {
  const rows: number[] = []
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row] ?? 0
    if (index >= start && index < end) rows.push(row)
  }
  return rows
}

/** Returns `batch` if it has exactly the named fields, of the right dtype and shape, with `rows` rows; else throws a ShapeError. */
export function checkBatch(batch: Batch, fields: Readonly<Record<string, Field>>, rows: number): Batch {
  for (const [name, { dtype, shape }] of Object.entries(fields)) {
    const array = batch[name]
    const wanted = { dtype, shape: [rows, ...shape] }
    const fits =
      array !== undefined && describe(array) === describe(wanted) && array.data.length === elementCount(wanted.shape)
    if (!fits) {
      const found = array === undefined ? 'nothing' : `${describe(array)} of ${array.data.length} elements`
      throw new ShapeError(`dataset: batch field "${name}" must be ${describe(wanted)}, found ${found}`)
    }
  }
  const extra = Object.keys(batch).find((name) => !Object.hasOwn(fields, name))
  if (extra !== undefined) {
    throw new ShapeError(
      `dataset: a batch must have the fields ${Object.keys(fields).join(', ')}, found also "${extra}"`,
      {
        hint: 'declare what a transform adds in the third argument of mapDataset',
      },
    )
  }
  return batch
}

function describe({ dtype, shape }: Field): string {
  return `${dtype} [${shape.join(', ')}]`
}

function describeFields(fields: Readonly<Record<string, Field>>): string {
  return Object.keys(fields)
    .sort()
    .map((name) => {
      const field = fields[name]
      return field === undefined ? name : `${name} ${describe(field)}`
    })
    .join(', ')
}
