/** Examples that are read one by one, each as a whole (a recording, a cloud of points, a clip), and cut into arrays of one shape. */
import type { NDArray, TypedArray } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { mapParallel } from '../util/parallel.ts'
import type { Generator } from '../util/random.ts'
import { mapValues } from '../util/records.ts'
import { exampleGenerator } from './augment/crop.ts'
import type { Dataset, Field, Fields } from './dataset.ts'
import { allocateRows, checkIndices, gatherRows } from './rows.ts'

/** Labelled examples of any size. */
export interface Examples<Whole> {
  readonly length: number
  /** int32 [examples], class numbers; or float32 [examples, classes], 1 for each class that an example has. */
  readonly labels: NDArray
  /** Throws a FormatError that names the example if it is damaged. */
  readonly read: (index: number) => Promise<Whole>
}

/** How a whole example becomes arrays. */
export interface Cut<Whole, Name extends string> {
  readonly fields: Fields<Name>
  /**
   * The arrays of one row. `window` of `windows`: which part of a long example, evenly spread; `random`: for training, a part and changes
   * that it decides.
   */
  readonly cut: (
    whole: Whole,
    part: { readonly window: number; readonly windows: number } | { readonly random: Generator },
  ) => Readonly<Record<Name, TypedArray>>
}

/** How a data set reads its examples. */
export interface ExampleOptions {
  /** Rows of each example, evenly spread over it, one after the other. Default: 1. */
  readonly windows?: number
  /** Parts and changes at random, a pure function of seed, epoch and example. Default: false. */
  readonly random?: boolean
}

/** Examples read at once. */
const atOnce = 8

/** A data set of the examples' parts, with their `label`. */
export function exampleDataset<Whole, Name extends string>(
  examples: Examples<Whole>,
  { fields, cut }: Cut<Whole, Name>,
  { windows = 1, random = false }: ExampleOptions = {},
): Dataset<Name | 'label'> {
  const { labels, read } = examples
  const length = examples.length * windows
  const all: Record<string, Field> = {
    ...fields,
    label: { dtype: labels.dtype, shape: labels.shape.slice(1) },
  }
  return {
    length,
    fields: all as Record<Name | 'label', Field>,
    async batch(indices, context) {
      checkIndices(indices, length)
      const wholes = Array.from(indices, (index) => Math.floor(index / windows))
      const parts = await mapParallel(Array.from(indices), atOnce, async (index, i) => {
        const whole = await read(wholes[i] ?? 0)
        return random
          ? cut(whole, { random: exampleGenerator(context, 'part', index) })
          : cut(whole, { window: index % windows, windows })
      })
      const arrays = mapValues<Name, Field, NDArray>(fields, (field, name) => {
        const rows = allocateRows(parts.length, field)
        const size = rows.data.length / Math.max(1, sizeOf(rows.shape, 0))
        // Data of a field are of its dtype.
        for (const [i, part] of parts.entries()) (rows.data as Float32Array).set(part[name] as Float32Array, i * size)
        return rows
      })
      return { ...arrays, label: gatherRows(labels, wholes) } as Record<Name | 'label', NDArray>
    },
  }
}

/** Examples that are in memory. */
export function heldExamples<Whole>(wholes: readonly Whole[], labels: NDArray): Examples<Whole> {
  return {
    length: wholes.length,
    labels,
    read: (index) => Promise.resolve(wholes[index] as Whole), // within the length
  }
}

/** int32 [examples] of class numbers. */
export function classLabels(labels: readonly number[]): NDArray {
  return { dtype: 'int32', shape: [labels.length], data: Int32Array.from(labels) }
}

/** Decoded examples are kept up to so many bytes. */
const keptBytes = 2 ** 29

/** The same examples, kept in memory once they were read, as far as they fit. */
export function remembered<Whole>(
  examples: Examples<Whole>,
  bytesOf: (whole: Whole) => number,
  limit = keptBytes,
): Examples<Whole> {
  const kept = new Map<number, Whole>()
  let used = 0
  return {
    ...examples,
    read: async (index) => {
      const known = kept.get(index)
      if (known !== undefined) return known
      const whole = await examples.read(index)
      const size = bytesOf(whole)
      if (used + size <= limit && !kept.has(index)) {
        kept.set(index, whole)
        used += size
      }
      return whole
    },
  }
}
