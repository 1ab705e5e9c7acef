/** What the runtimes of all platforms share. */
import { TenfoldError } from '../util/errors.ts'
import type { SessionOptions } from './session.ts'

// Its kernel takes five times as long as an addition and a layer norm (docs/decisions/023-outputs-in-place.md).
const slowFusions = ['SkipLayerNormFusion']

/** The runtime's session option that names passes of its optimiser which must not run. */
export function disabledOptimizers(options: SessionOptions): string {
  return [...slowFusions, ...(options.disabledOptimizers ?? [])].join(';')
}

/** Values by the names of a model's inputs or outputs, which are in the same order. */
export function byName<T>(names: readonly string[], values: readonly T[]): Record<string, T> {
  if (names.length !== values.length)
    throw new TenfoldError(`the model has ${names.length} inputs or outputs, found ${values.length}`)
  return Object.fromEntries(values.map((value, i) => [names[i], value]))
}
