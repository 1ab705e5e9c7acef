/** A compiled function over a whole data set: what evaluation and metrics start from. */
import type { Batch, Dataset } from '../data/dataset.ts'
import { DataLoader } from '../data/loader.ts'
import { copyRows } from '../data/rows.ts'
import type { Module } from '../nn/index.ts'
import { allocate, elementCount, type NDArray } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { ShapeError, UsageError } from '../util/errors.ts'

/** How a function runs over a data set. */
export interface PredictAllOptions {
  /** Examples at once. Default: 256, or all if there are fewer. */
  readonly batchSize?: number
  /** In evaluation mode meanwhile. Default: none; a function without dropout and batch statistics needs none. */
  readonly model?: Module
}

/**
 * Runs a compiled function of a batch over all examples of a data set, in their order, and puts its outputs together: each output must
 * have a row for each example. `const { logits } = await predictAll(predict, test, { model })`.
 */
export async function predictAll<Name extends string, Out extends Readonly<Record<string, Tensor>>>(
  predict: (batch: Batch<Name>) => Promise<Out>,
  data: Dataset<Name>,
  { batchSize = Math.min(256, data.length), model }: PredictAllOptions = {},
): Promise<{ readonly [K in keyof Out]: NDArray }> {
  if (data.length === 0) throw new UsageError('predictAll: the data set must have an example, found none')
  const run = async (): Promise<Map<string, NDArray>> => {
    const whole = new Map<string, NDArray>()
    let start = 0
    for await (const batch of new DataLoader(data, { batchSize })) {
      const rows = Math.min(batchSize, data.length - start)
      const found = await predict(batch)
      if (found instanceof Tensor)
        throw new UsageError(`predictAll: the function must give tensors by name, found ${found}`, {
          hint: 'return { logits }',
        })
      for (const [name, tensor] of Object.entries(found)) {
        const { dtype, shape, data: elements } = tensor.array
        if (shape[0] !== rows)
          throw new ShapeError(`predictAll: "${name}" must have a row for each of ${rows} examples, found ${tensor}`)
        const target = whole.get(name) ?? empty(tensor, data.length)
        if (!sameShape(target.shape.slice(1), shape.slice(1)))
          throw new ShapeError(
            `predictAll: rows of "${name}" must have one shape, found ${formatShape(target.shape.slice(1))} and ${formatShape(shape.slice(1))}`,
          )
        const places = Array.from({ length: rows }, (_, row) => start + row)
        copyRows({ dtype, shape, data: elements }, target, undefined, places)
        whole.set(name, target)
      }
      start += rows
    }
    return whole
  }
  const whole = await (model ? model.inEvalMode(run) : run())
  // The function gives the same names for each batch, and there is at least one.
  return Object.fromEntries(whole) as { readonly [K in keyof Out]: NDArray }
}

function empty({ dtype, shape }: Tensor, length: number): NDArray {
  const whole = [length, ...shape.slice(1)]
  return { dtype, shape: whole, data: allocate(dtype, elementCount(whole)) }
}
