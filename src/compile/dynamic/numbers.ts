/** Real numbers that depend on the sizes of dynamic axes: means by 1 / n, scales by 1 / sqrt(n). */
import { type Size, type SizeTable, type SizeValues, sizeAt } from './sizes.ts'

/** What numbers are made of sizes by. */
const functions = {
  reciprocal: (n: number) => 1 / n,
  identity: (n: number) => n,
  inverseRoot: (n: number) => 1 / Math.sqrt(n),
  root: Math.sqrt,
  logarithm: Math.log,
  /** The correction of a variance: n / (n - 1). */
  correction: (n: number) => n / (n - 1),
} as const

export type NumberFunction = keyof typeof functions

/** factor x f(size). */
export interface SizedNumber {
  readonly factor: number
  readonly function: NumberFunction
  readonly size: Size
}

/** The number at these sizes. */
export function numberAt({ factor, function: name, size }: SizedNumber, values: SizeValues): number {
  return evaluate(name, factor, sizeAt(size, values))
}

/** A whole number as a real one. */
function ofSize(size: Size): SizedNumber {
  return { factor: 1, function: 'identity', size }
}

/** The number of a size that a function with this factor gives `value` for. */
const inverses: Readonly<Record<NumberFunction, (value: number, factor: number) => number>> = {
  reciprocal: (value, factor) => factor / value,
  identity: (value, factor) => value / factor,
  inverseRoot: (value, factor) => (factor / value) ** 2,
  root: (value, factor) => (value / factor) ** 2,
  logarithm: (value, factor) => Math.exp(value / factor),
  correction: (value, factor) => value / (value - factor),
}

const names = Object.keys(functions) as NumberFunction[]

// Factors that are looked for first; those that were multiplied with something else are found by their values.
const usualFactors = [1, -1, 2, -2, 0.5, -0.5, 3, -3, 4, -4]

/** What a factor that was computed from a rounded number may have been. */
function likelyFactors(factor: number): number[] {
  return [Number(factor.toPrecision(7)), 1 / Number((1 / factor).toPrecision(7)), factor].filter(
    (value) => Number.isFinite(value) && value !== 0,
  )
}

function evaluate(name: NumberFunction, factor: number, n: number): number {
  return name === 'reciprocal' ? factor / n : factor * functions[name](n)
}

/**
 * The function that has these values at the points. `round` is how the values were rounded (to float32); those of an estimate need not
 * be met exactly: `tolerance`, relative.
 */
export function fitNumber(
  table: SizeTable,
  values: readonly number[],
  round: (value: number) => number,
  tolerance: number,
): SizedNumber | undefined {
  const whole = values.every(Number.isInteger) || values.every((value) => Object.is(value, values[0]))
  const size = whole ? table.fit(values) : undefined
  if (size) return ofSize(size)
  if (!values.every(Number.isFinite)) return undefined
  return byUsualFactor(table, values, round) ?? byKnownSize(table, values, round, tolerance)
}

/** Functions of any size, with a factor that is usual. */
function byUsualFactor(
  table: SizeTable,
  values: readonly number[],
  round: (value: number) => number,
): SizedNumber | undefined {
  for (const name of names) {
    for (const factor of usualFactors) {
      const sizes = values.map((value) => Math.round(inverses[name](value, factor)))
      if (!values.every((value, i) => round(evaluate(name, factor, sizes[i] ?? 0)) === value)) continue
      const size = table.fit(sizes)
      if (size) return { factor, function: name, size }
    }
  }
  return undefined
}

/** Functions of the sizes in the graph and products of two, with any factor. */
function byKnownSize(
  table: SizeTable,
  values: readonly number[],
  round: (value: number) => number,
  tolerance: number,
): SizedNumber | undefined {
  const { known } = table
  const pairs = known.flatMap((a, i) => known.slice(i).map((b) => [a, b] as const))
  const products = pairs.map(([a, b]) => ({
    size: { kind: 'product', factor: 1, offset: 0, parts: [a.size, b.size] } as const,
    values: a.values.map((value, i) => value * (b.values[i] ?? 0)),
  }))
  const [first = 0] = values
  for (const { size, values: sizes } of [...known, ...products]) {
    for (const name of names) {
      const at = (factor: number, i: number): number => evaluate(name, factor, sizes[i] ?? 0)
      const found = likelyFactors(first / at(1, 0))
      const exact = found.find((factor) => values.every((value, i) => round(at(factor, i)) === value))
      const near = found.find((factor) =>
        values.every((value, i) => Math.abs(at(factor, i) - value) <= tolerance * Math.abs(value)),
      )
      const factor = exact ?? near
      if (factor !== undefined) return { factor, function: name, size }
    }
  }
  return undefined
}
