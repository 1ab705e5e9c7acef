import type { Batch } from '../../data/dataset.ts'
import type { BatchSource } from '../../data/loader.ts'

/** Batches without an end, one epoch after the other. */
export async function* endlessBatches<Name extends string>(source: BatchSource<Name>): AsyncGenerator<Batch<Name>> {
  while (true) yield* source
}
