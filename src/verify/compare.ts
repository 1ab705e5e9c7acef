import { type NDArray, toNumbers } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { CaseTolerance as Tolerance } from './target.ts'

/** How two sets of named tensors differ. */
export interface Comparison {
  readonly tensors: number
  readonly maxAbsolute: number
  /** Largest |a - b| / |b|, where |b| exceeds the absolute tolerance. */
  readonly maxRelative: number
  /** The first thing that is wrong. */
  readonly problem?: string
}

interface Difference {
  readonly absolute: number
  readonly relative: number
  readonly problem?: string
}

function compareArrays(
  name: string,
  found: NDArray | undefined,
  expected: NDArray,
  { atol, rtol }: Tolerance,
): Difference {
  if (!found) return { absolute: 0, relative: 0, problem: `${name} was not computed` }
  // A state or counter may be stored with fewer axes of size 1 than it is computed with.
  if (!sameShape(found.shape, expected.shape)) {
    return {
      absolute: 0,
      relative: 0,
      problem: `${name} has shape ${formatShape(found.shape)}, expected ${formatShape(expected.shape)}`,
    }
  }
  let [absolute, relative] = [0, 0]
  let problem: string | undefined
  const numbers = toNumbers(found.data)
  for (const [i, value] of toNumbers(expected.data).entries()) {
    const number = numbers[i] ?? Number.NaN
    // Infinities must agree in sign, NaN with NaN: neither has a distance.
    if (Object.is(number, value) || number === value) continue
    const difference = Math.abs(number - value)
    if (!(difference <= atol + rtol * Math.abs(value))) problem ??= `${name}[${i}] is ${number}, expected ${value}`
    if (!Number.isFinite(difference)) continue
    absolute = Math.max(absolute, difference)
    if (Math.abs(value) > atol) relative = Math.max(relative, difference / Math.abs(value))
  }
  return { absolute, relative, ...(problem !== undefined && { problem }) }
}

/** Compares every expected tensor: |found - expected| <= atol + rtol |expected|, elementwise. */
export function compareTensors(
  expected: ReadonlyMap<string, NDArray>,
  found: ReadonlyMap<string, NDArray>,
  toleranceOf: (name: string) => Tolerance,
): Comparison {
  let [maxAbsolute, maxRelative] = [0, 0]
  let problem: string | undefined
  for (const [name, array] of expected) {
    const difference = compareArrays(name, found.get(name), array, toleranceOf(name))
    maxAbsolute = Math.max(maxAbsolute, difference.absolute)
    maxRelative = Math.max(maxRelative, difference.relative)
    problem ??= difference.problem
  }
  return { tensors: expected.size, maxAbsolute, maxRelative, ...(problem !== undefined && { problem }) }
}
