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

/** factor x f(size + shift). */
export interface SizedNumber {
  readonly factor: number
  readonly function: NumberFunction
  readonly size: Size
  readonly shift: number
}

/** The number at these sizes. */
export function numberAt({ factor, function: name, size, shift }: SizedNumber, values: SizeValues): number {
  const n = functions[name](sizeAt(size, values) + shift)
  return name === 'reciprocal' && Math.abs(factor) !== 1 ? factor / (sizeAt(size, values) + shift) : factor * n
}

/** A whole number as a real one. */
function ofSize(size: Size): SizedNumber {
  return { factor: 1, function: 'identity', size, shift: 0 }
}

/** What a factor that was computed from a rounded number may have been. */
function likelyFactors(factor: number): number[] {
  return [Math.round(factor), 1 / Math.round(1 / factor), Number(factor.toPrecision(7)), factor].filter(
    (value) => Number.isFinite(value) && value !== 0,
  )
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
  const whole = values.every(Number.isInteger) || values.every((value) => value === values[0])
  const size = whole ? table.fit(values) : undefined
  if (size) return ofSize(size)
  if (!values.every(Number.isFinite)) return undefined
  const [first = 0] = values
  const names = (table.points[0] ?? []).map((_, name) => ({
    size: { kind: 'linear', offset: 0, terms: [{ name, factor: 1 }] } as const,
    values: table.points.map((point) => point[name] ?? 0),
  }))
  const single = [...names, ...table.known]
  const pairs = table.known.flatMap((a, i) => table.known.slice(i).map((b) => [a, b] as const))
  const products = pairs.map(([a, b]) => ({
    size: { kind: 'product', factor: 1, offset: 0, parts: [a.size, b.size] } as const,
    values: a.values.map((value, i) => value * (b.values[i] ?? 0)),
  }))
  for (const { size, values: sizes } of [...single, ...products]) {
    for (const shift of [0, -1, 1]) {
      for (const name of Object.keys(functions) as NumberFunction[]) {
        const at = (factor: number, i: number): number => {
          const n = (sizes[i] ?? 0) + shift
          return name === 'reciprocal' ? factor / n : factor * functions[name](n)
        }
        const found = likelyFactors(first / at(1, 0))
        const exact = found.find((factor) => values.every((value, i) => round(at(factor, i)) === value))
        const [near] = found.slice(-1)
        const isNear =
          near !== undefined && values.every((value, i) => Math.abs(at(near, i) - value) <= tolerance * Math.abs(value))
        const factor = exact ?? (isNear ? near : undefined)
        if (factor !== undefined) return { factor, function: name, size, shift }
      }
    }
  }
  return undefined
}
