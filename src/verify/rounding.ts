/**
 * Cases that a rounding decides. At a relu whose input is 0 but for rounding errors, the gradient is one thing or another, and the official code's own
 * errors have chosen one of them: other kernels may choose the other. Such a case is run again for inputs that differ by a rounding.
 */
import type { NDArray } from '../tensor/dtype.ts'
import { RandomStream } from '../util/random.ts'

/** How numbers that a case gives are rounded: a tensor and its full name to a tensor. */
export type Rounding = (array: NDArray, name: string) => NDArray

export const asGiven: Rounding = (array) => array

// Weights and inputs; the samples of a formula's numbers are compared exactly.
const nudged = /^(param|input)\/(?!formula_check\/)/
// Half a unit in the last place at least, a whole one at most: float32 rounds it to one.
const step = 1.001 * 2 ** -24

/** How often a case is tried again. */
export const otherRoundings = 8

/** Every float32 number as it is, or one unit in the last place above or below: drawn for each number and `trial`, 1 and up. */
export function roundedOtherwise(trial: number): Rounding {
  const stream = new RandomStream(trial)
  let lane = 0
  return (array, name) => {
    const { data } = array
    if (!(data instanceof Float32Array) || !nudged.test(name)) return array
    const draws = stream.uniform(0, lane++, data.length)
    return { ...array, data: data.map((value, i) => value * (1 + step * (Math.floor(3 * (draws[i] ?? 0)) - 1))) }
  }
}
