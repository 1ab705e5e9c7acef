/** Compares the results that some cases have as JSON besides their tensors: texts, tables, numbers in float64. */
import { FormatError } from '../util/errors.ts'
import type { ReferenceCase, CaseTolerance as Tolerance } from './target.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const shown = (value: unknown): string =>
  (typeof value === 'number' ? String(value) : JSON.stringify(value)) ?? 'nothing'

function compare(path: string, found: unknown, expected: unknown, tolerance: Tolerance): void {
  if (Array.isArray(expected) && Array.isArray(found)) {
    if (found.length !== expected.length)
      throw new FormatError(`${path} has ${found.length} items, expected ${expected.length}`)
    for (const [i, item] of expected.entries()) compare(`${path}[${i}]`, found[i], item, tolerance)
  } else if (isObject(expected) && isObject(found)) {
    for (const key of Object.keys(expected)) {
      if (!Object.hasOwn(found, key)) throw new FormatError(`${path}.${key} was not computed`)
      compare(`${path}.${key}`, found[key], expected[key], tolerance)
    }
  } else if (typeof expected === 'number' && typeof found === 'number') {
    const isNear = Math.abs(found - expected) <= tolerance.atol + tolerance.rtol * Math.abs(expected)
    if (found !== expected && !isNear) throw new FormatError(`${path} is ${found}, expected ${expected}`)
  } else if (found !== expected && !(expected === null && Number.isNaN(found))) {
    throw new FormatError(`${path} is ${shown(found)}, expected ${shown(expected)}`)
  }
}

/**
 * Compares what a target computed with the case's `expected`: numbers within the case's tolerance, everything else exactly; null is NaN,
 * which JSON lacks. Throws a FormatError that names the first difference, or what was not computed.
 */
export function checkExpected({ fields, tolerance }: ReferenceCase, found: unknown): void {
  compare('expected', found, fields.expected, tolerance)
}
