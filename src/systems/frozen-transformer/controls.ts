/** Controls of what given weights bring: the same weights, or only their statistics, or only their values. */
import { fromNumbers, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { Generator } from '../../util/random.ts'
import { meanOf } from '../../util/vectors.ts'

/** What becomes of given weights: nothing; normal ones of the mean and deviation of each tensor; each tensor's entries in another order. */
export const controls = ['kept', 'statistics', 'shuffled'] as const

export type Control = (typeof controls)[number]

/** The weights after a control (paper, Section 3.6 and Table 9: is the initialisation all that matters?). */
export function controlled(
  weights: ReadonlyMap<string, NDArray>,
  control: Control,
  seed: number | bigint,
): ReadonlyMap<string, NDArray> {
  if (control === 'kept') return weights
  const generator = new Generator(seed)
  const change = control === 'statistics' ? likeStatistics : inAnotherOrder
  return new Map(
    [...weights].map(([name, array]) => {
      const values = change(toNumbers(array.data), generator)
      return [name, { ...array, data: fromNumbers(array.dtype, values) }]
    }),
  )
}

function likeStatistics(values: readonly number[], generator: Generator): number[] {
  const mean = meanOf(values)
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
  return Array.from(generator.normal(values.length), (value) => mean + deviation * value)
}

function inAnotherOrder(values: readonly number[], generator: Generator): number[] {
  return Array.from(generator.permutation(values.length), (from) => values[from] ?? 0)
}
