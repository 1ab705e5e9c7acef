import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Batch, Dataset } from '../../src/data/dataset.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { TenfoldError } from '../../src/util/errors.ts'

/** `Name: message` (and ` | hint`) of the TenfoldError that an action throws; fails if it throws something else or nothing. */
export async function told(action: () => unknown): Promise<string> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error
    return `${error.name}: ${error.message}${error.hint === undefined ? '' : ` | ${error.hint}`}`
  }
  throw new Error('nothing was thrown')
}

/** Runs `use` with a new folder, which is deleted afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-data-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export const context = { epoch: 0, seed: 0 }

/** The numbers of one field in a batch. */
export function numbers(batch: Batch, field: string): number[] {
  const array = batch[field]
  if (array === undefined) throw new Error(`no field ${field}`)
  return toNumbers(array.data)
}

/** A dataset of the numbers 0 to length - 1 (`x` int32 []), each batch after a delay that is later for earlier batches. */
export function counting(length: number, delay?: (first: number) => number): Dataset & { requested: number[][] } {
  const requested: number[][] = []
  return {
    length,
    requested,
    fields: { x: { dtype: 'int32', shape: [] } },
    async batch(indices) {
      const data = Int32Array.from(indices)
      requested.push([...data])
      if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay(data[0] ?? 0)))
      return { x: { dtype: 'int32', shape: [data.length], data } }
    },
  }
}
