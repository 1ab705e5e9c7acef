import { type NDArray, toNumbers } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { CaseTolerance as Tolerance } from './target.ts'

/** How two sets of named tensors differ. */
export interface Comparison {
  readonly tensors: number
  readonly maxAbsolute: number
  /** Largest |a - b| / |b|, where |b| exceeds the absolute tolerance. */
  readonly maxRelative: number
  /** Largest |a - b| in units of the tolerance; infinite where something is missing or not finite. */
  readonly excess: number
  /** The first thing that is wrong. */
  readonly problem?: string
}

interface Difference {
  readonly absolute: number
  readonly relative: number
  readonly excess: number
  readonly problem?: string
}

function compareArrays(
  name: string,
  found: NDArray | undefined,
  expected: NDArray,
  { atol, rtol }: Tolerance,
): Difference {
  if (!found) return { absolute: 0, relative: 0, excess: Infinity, problem: `${name} was not computed` }
  // A state or counter may be stored with fewer axes of size 1 than it is computed with.
  if (!sameShape(found.shape, expected.shape)) {
    return {
      absolute: 0,
      relative: 0,
      excess: Infinity,
      problem: `${name} has shape ${formatShape(found.shape)}, expected ${formatShape(expected.shape)}`,
    }
  }
  let [absolute, relative, excess] = [0, 0, 0]
  let problem: string | undefined
  const numbers = toNumbers(found.data)
  for (const [i, value] of toNumbers(expected.data).entries()) {
    const number = numbers[i] ?? Number.NaN
    // Infinities must agree in sign, NaN with NaN: neither has a distance.
    if (Object.is(number, value) || number === value) continue
    const difference = Math.abs(number - value)
    const allowed = atol + rtol * Math.abs(value)
    excess = Math.max(excess, Number.isNaN(difference) ? Infinity : difference / allowed)
    if (!(difference <= allowed)) problem ??= `${name}[${i}] is ${number}, expected ${value}`
    if (!Number.isFinite(difference)) continue
    absolute = Math.max(absolute, difference)
    if (Math.abs(value) > atol) relative = Math.max(relative, difference / Math.abs(value))
  }
  return { absolute, relative, excess, ...(problem !== undefined && { problem }) }
}

/** Compares every expected tensor: |found - expected| <= atol + rtol |expected|, elementwise. */
export function compareTensors(
  expected: ReadonlyMap<string, NDArray>,
  found: ReadonlyMap<string, NDArray>,
  toleranceOf: (name: string) => Tolerance,
): Comparison {
  let [maxAbsolute, maxRelative, excess] = [0, 0, 0]
  let problem: string | undefined
  for (const [name, array] of expected) {
    const difference = compareArrays(name, found.get(name), array, toleranceOf(name))
    maxAbsolute = Math.max(maxAbsolute, difference.absolute)
    maxRelative = Math.max(maxRelative, difference.relative)
    excess = Math.max(excess, difference.excess)
    problem ??= difference.problem
  }
  return { tensors: expected.size, maxAbsolute, maxRelative, excess, ...(problem !== undefined && { problem }) }
}
