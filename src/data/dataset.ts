import { checkedArray, type DType, type NDArray } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { mapValues } from '../util/records.ts'
import { allocateRows, checkIndices, copyRows, gatherRows } from './rows.ts'
import { splitRandomly } from './split.ts'

/** The dtype and shape that one named tensor has in every example. */
export interface Field {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Fields by name. */
export type Fields<Name extends string = string> = Readonly<Record<Name, Field>>

/** Named tensors of several examples, stacked on axis 0: `Batch<'image' | 'label'>`. */
export type Batch<Name extends string = string> = Record<Name, NDArray>

/** A batch as a compiled function takes it: `compile(({ image, label }: BatchTensors<'image' | 'label'>) => ...)`. */
export type BatchTensors<Name extends string = string> = Readonly<Record<Name, Tensor>>

/** Examples in a batch: all of its tensors have as many rows. */
export function batchRows(batch: Batch | BatchTensors): number {
  const [first] = Object.values<{ readonly shape: readonly number[] }>(batch)
  return first ? sizeOf(first.shape, 0) : 0
}

/** What a batch may depend on besides its indices. Random augmentation must be a pure function of seed, epoch and index. */
export interface BatchContext {
  readonly epoch: number
  readonly seed: number | bigint
}

/**
 * Examples 0 to length - 1, each a record of named tensors that have the same dtype and shape in every example.
 * `batch` returns exactly one row for each index, in the order of the indices, in arrays of its own that it never writes again.
 */
export interface Dataset<Name extends string = string> {
  readonly length: number
  readonly fields: Fields<Name>
  /** The value of the field `label` in each example, if it is known without reading the examples; `labelsOf` reads them where it is not. */
  readonly labels?: ArrayLike<number>
  batch(indices: ArrayLike<number>, context: BatchContext): Batch<Name> | Promise<Batch<Name>>
}

/** A dataset of arrays in memory, examples on axis 0: `arrayDataset({ image: [n, 28, 28], label: [n] })`. Nothing is copied. */
export function arrayDataset<Name extends string>(arrays: Readonly<Record<Name, NDArray>>): Dataset<Name> {
  const [first] = Object.entries<NDArray>(arrays)
  if (!first) throw new UsageError('arrayDataset: at least one array is needed, found none')
  const [firstName, firstArray] = first
  const [length = 0] = checkedArray(`arrayDataset: "${firstName}"`, firstArray).shape
  const fields = mapValues(arrays, (array, name) => {
    const { dtype, shape } = checkedArray(`arrayDataset: "${name}"`, array)
    if (shape.length === 0)
      throw new ShapeError(`arrayDataset: "${name}" must have its examples on axis 0, found ${describe(array)}`)
    if (shape[0] !== length) {
      throw new ShapeError(
        `arrayDataset: all arrays must have the same number of rows, "${firstName}" has ${length}, "${name}" has ${shape[0]}`,
      )
    }
    return { dtype, shape: shape.slice(1) }
  })
  return {
    length,
    fields,
    ...knownLabels(arrays),
    batch(indices) {
      checkIndices(indices, length)
      return mapValues(arrays, (array) => gatherRows(array, indices))
    },
  }
}

/** The labels among arrays, if each is one whole number. */
function knownLabels({ label }: Readonly<Record<string, NDArray>>): { readonly labels?: ArrayLike<number> } {
  if (label?.shape.length !== 1 || label.data instanceof BigInt64Array || label.dtype === 'float32') return {}
  return { labels: label.data }
}

/** The examples `indices` of a dataset, in that order; an index may occur more than once. */
export function subset<Name extends string>(dataset: Dataset<Name>, indices: ArrayLike<number>): Dataset<Name> {
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
export function splitDataset<Name extends string>(
  dataset: Dataset<Name>,
  fraction: number,
  seed: number | bigint,
): [Dataset<Name>, Dataset<Name>] {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new UsageError(`splitDataset: fraction must be from 0 to 1, found ${fraction}`)
  }
  const { train, test } = splitRandomly(dataset.length, Math.round(fraction * dataset.length), seed)
  return [subset(dataset, test), subset(dataset, train)]
}

/** Makes another batch of a batch, its example indices and context. */
type Transform<From extends string, To extends string> = (
  batch: Batch<From>,
  indices: ArrayLike<number>,
  context: BatchContext,
) => Batch<To> | Promise<Batch<To>>

/**
 * A dataset whose batches go through `transform` (batch, its example indices, context), which keeps the rows and their order. Whether
 * `transform` changes labels is not known, so `labels` is left out: `withLabelsOf(dataset, mapped)` puts them back. `fields` says what comes out; left out: the same as goes in.
 */
export function mapDataset<Name extends string>(
  dataset: Dataset<Name>,
  transform: Transform<Name, Name>,
  fields?: Fields<Name>,
): Dataset<Name>
export function mapDataset<From extends string, To extends string>(
  dataset: Dataset<From>,
  transform: Transform<From, To>,
  fields: Fields<To>,
): Dataset<To>
export function mapDataset(
  dataset: Dataset,
  transform: Transform<string, string>,
  fields: Fields = dataset.fields,
): Dataset {
  return {
    length: dataset.length,
    fields,
    async batch(indices, context) {
      return transform(await dataset.batch(indices, context), indices, context)
    },
  }
}

/** A dataset that was mapped by something which changes no label, with the labels of the one it was made of. */
export function withLabelsOf<Name extends string>(source: Dataset, mapped: Dataset<Name>): Dataset<Name> {
  return source.labels ? { ...mapped, labels: source.labels } : mapped
}

/** The examples of several datasets with the same fields, one set after the other. */
export function concatDatasets<Name extends string>(datasets: readonly Dataset<Name>[]): Dataset<Name> {
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
    ...(datasets.every(({ labels }) => labels) && {
      labels: datasets.flatMap(({ labels = [] }) => Array.from(labels)),
    }),
    async batch(indices, context) {
      checkIndices(indices, length)
      const whole = mapValues(first.fields, (field) => allocateRows(indices.length, field))
      const parts = datasets.map(async (dataset, i) => {
        const start = starts[i] ?? 0
        const rows = rowsWithin(indices, start, start + dataset.length)
        if (rows.length === 0) return
        const local = rows.map((row) => (indices[row] ?? 0) - start)
        const part = checkBatch(await dataset.batch(local, context), first.fields, rows.length)
        mapValues(whole, (target, name) => copyRows(part[name], target, undefined, rows))
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
export function checkBatch<Name extends string>(batch: Batch, fields: Fields<Name>, rows: number): Batch<Name> {
  for (const [name, { dtype, shape }] of Object.entries<Field>(fields)) {
    const array = batch[name]
    const wanted = describe({ dtype, shape: [rows, ...shape] })
    const found = array === undefined ? 'nothing' : describe(checkedArray(`dataset: batch field "${name}"`, array))
    if (found !== wanted) throw new ShapeError(`dataset: batch field "${name}" must be ${wanted}, found ${found}`)
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
  return batch as Batch<Name>
}

function describe({ dtype, shape }: Field): string {
  return `${dtype} [${shape.join(', ')}]`
}

function describeFields(fields: Fields): string {
  return Object.keys(fields)
    .sort()
    .map((name) => {
      const field = fields[name]
      return field === undefined ? name : `${name} ${describe(field)}`
    })
    .join(', ')
}
