/** Whole numbers that depend on the sizes of dynamic axes: found from their values at the sizes that a function was traced with. */

/** A number as a function of the dynamic sizes. */
export type Size =
  | { readonly kind: 'linear'; readonly offset: number; readonly terms: readonly Term[] }
  /** What an op's shape rule gives: the size of one axis of one tensor, by its number in the table. */
  | { readonly kind: 'axis'; readonly id: number }
  /** factor x product of sizes + offset. */
  | { readonly kind: 'product'; readonly factor: number; readonly parts: readonly Size[]; readonly offset: number }

/** factor x the size of this number in the list of names. */
export interface Term {
  readonly name: number
  readonly factor: number
}

/** Sizes of a call: those of the dynamic axes, in the order of their names, and what shape rules gave for the axes of the table. */
export interface SizeValues {
  readonly sizes: readonly number[]
  readonly axes: readonly number[]
}

/** The number at these sizes: a fraction if they do not suit (half of an odd size). */
export function sizeAt(size: Size, values: SizeValues): number {
  if (size.kind === 'axis') return values.axes[size.id] ?? Number.NaN
  if (size.kind === 'product')
    return size.parts.reduce((product, part) => product * sizeAt(part, values), size.factor) + size.offset
  return size.terms.reduce((sum, { name, factor }) => sum + factor * (values.sizes[name] ?? Number.NaN), size.offset)
}

/** `2*length+past-1`: for people, and as the name of a symbolic size in a model. */
export function formatSize(size: Size, names: readonly string[]): string {
  if (size.kind === 'axis') return `size_${size.id}`
  const times = (factor: number, text: string): string => (factor === 1 ? text : `${factor}*${text}`)
  const parts =
    size.kind === 'product'
      ? [times(size.factor, size.parts.map((part) => `(${formatSize(part, names)})`).join('*'))]
      : size.terms.map(({ name, factor }) => times(factor, names[name] ?? ''))
  const offset = size.offset === 0 && parts.length > 0 ? '' : String(size.offset)
  return [...parts, offset]
    .filter((part) => part !== '')
    .join('+')
    .replaceAll('+-', '-')
}

export const fixedSize = (value: number): Size => ({ kind: 'linear', offset: value, terms: [] })

/** Whether the number is the same at all sizes. */
export function isFixed(size: Size): boolean {
  return size.kind === 'linear' && size.terms.length === 0
}

// A window that divides an axis makes fractions of its size; a larger divisor is a coincidence.
const largestDivisor = 64

/** The fraction that a double stands for, if its divisor is small. */
function fraction(value: number): number | undefined {
  for (let divisor = 1; divisor <= largestDivisor; divisor++) {
    const whole = Math.round(value * divisor)
    if (Math.abs(value * divisor - whole) < 1e-9 * Math.max(1, Math.abs(whole))) return whole / divisor
  }
  return undefined
}

/** The solution of a small system of linear equations by Gauss's elimination; undefined if it has none, or many. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0])
  const n = rows.length
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let i = column + 1; i < n; i++) if (Math.abs(at(i, column)) > Math.abs(at(pivot, column))) pivot = i
    if (Math.abs(at(pivot, column)) < 1e-9) return undefined
    ;[rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []]
    for (let i = 0; i < n; i++) {
      if (i === column) continue
      const share = at(i, column) / at(column, column)
      rows[i] = (rows[i] ?? []).map((value, j) => value - share * at(column, j))
    }
  }
  return rows.map((_, i) => at(i, n) / at(i, i))
}

/** All choices of `count` numbers below `n`, each in order. */
function* choices(n: number, count: number, from = 0): Generator<number[]> {
  if (count === 0) yield []
  else for (let i = from; i < n; i++) for (const rest of choices(n, count - 1, i + 1)) yield [i, ...rest]
}

// Sums of more sizes than this are not looked for: points are few, and each must tell one term.
const mostTerms = 3

/** What is known of numbers at the points (sizes) that a function was traced with. */
export class SizeTable {
  /** Sizes of the dynamic axes, in the order of their names, at each point. */
  readonly points: readonly (readonly number[])[]
  readonly #found = new Map<string, Size>()
  readonly #axisSizes = new Map<string, Size>()
  /** Sizes of axes of the graph that are not fixed, without repeats: factors of products. */
  readonly #known: { readonly size: Size; readonly values: readonly number[] }[] = []
  /** At each point, the sizes of the axes that only shape rules know. */
  readonly #axes: number[][]

  constructor(points: readonly (readonly number[])[]) {
    this.points = points
    this.#axes = points.map(() => [])
  }

  /** What a point was traced with. */
  valuesAt(point: number): SizeValues {
    return { sizes: this.points[point] ?? [], axes: this.#axes[point] ?? [] }
  }

  /** Sizes that occur in the graph and are not fixed, with their values at each point. */
  get known(): readonly { readonly size: Size; readonly values: readonly number[] }[] {
    return this.#known
  }

  /** The function that has these values at the points; undefined if none is known. */
  fit(values: readonly number[]): Size | undefined {
    const [first = Number.NaN] = values
    if (values.every((value) => value === first)) return Number.isFinite(first) ? fixedSize(first) : undefined
    if (!values.every(Number.isFinite)) return undefined
    const key = values.join()
    const found = this.#found.get(key) ?? this.#linear(values) ?? this.#product(values)
    if (found) this.#found.set(key, found)
    return found
  }

  /** The size of an axis of the graph: of the next number in the table if no function of the sizes is known for it. */
  axis(values: readonly number[]): Size {
    const [first = Number.NaN] = values
    if (values.every((value) => value === first)) return fixedSize(first)
    const key = values.join()
    const known = this.#axisSizes.get(key)
    if (known) return known
    const size = this.fit(values) ?? this.#newAxis(values)
    this.#known.push({ size, values })
    this.#axisSizes.set(key, size)
    this.#found.set(key, size)
    return size
  }

  #newAxis(values: readonly number[]): Size {
    for (const [i, value] of values.entries()) this.#axes[i]?.push(value)
    return { kind: 'axis', id: (this.#axes[0]?.length ?? 0) - 1 }
  }

  #difference(point: number, name: number): number {
    return (this.points[point]?.[name] ?? 0) - (this.points[0]?.[name] ?? 0)
  }

  /** offset + sum of factor x size, with as few sizes as do. */
  #linear(values: readonly number[]): Size | undefined {
    const names = this.points[0]?.length ?? 0
    const base = values[0] ?? 0
    for (let count = 1; count <= Math.min(mostTerms, names, values.length - 1); count++) {
      for (const chosen of choices(names, count)) {
        const equations = Array.from({ length: count }, (_, i) => chosen.map((name) => this.#difference(i + 1, name)))
        const changes = equations.map((_, i) => (values[i + 1] ?? 0) - base)
        const factors = solve(equations, changes)?.map(fraction)
        if (!factors?.every((factor) => factor !== undefined && factor !== 0)) continue
        const terms = chosen.map((name, i) => ({ name, factor: factors[i] ?? 0 }))
        const rest = fraction(
          base - terms.reduce((sum, { name, factor }) => sum + factor * (this.points[0]?.[name] ?? 0), 0),
        )
        if (rest === undefined) continue
        const size: Size = { kind: 'linear', offset: rest, terms }
        if (this.#holds(size, values)) return size
      }
    }
    return undefined
  }

  #holds(size: Size, values: readonly number[]): boolean {
    return values.every((value, i) => Math.abs(sizeAt(size, this.valuesAt(i)) - value) < 1e-6)
  }

  /** factor x product of two or three sizes of the graph + offset. */
  #product(values: readonly number[]): Size | undefined {
    const known = this.#known
    const [v0 = 0, v1 = 0] = values
    const fitted = (parts: typeof known): Size | undefined => {
      const products = values.map((_, i) => parts.reduce((product, part) => product * (part.values[i] ?? 0), 1))
      const [p0 = 0, p1 = 0] = products
      const factor = p1 === p0 ? undefined : fraction((v1 - v0) / (p1 - p0))
      if (factor === undefined || factor === 0) return undefined
      const offset = v0 - factor * p0
      const holds = values.every((value, i) => Math.abs(factor * (products[i] ?? 0) + offset - value) < 1e-6)
      return holds ? { kind: 'product', factor, parts: parts.map(({ size }) => size), offset } : undefined
    }
    for (let count = 1; count <= 3; count++) {
      for (const chosen of choicesWithRepeats(known, count)) {
        const size = fitted(chosen)
        if (size) return size
      }
    }
    return undefined
  }
}

/** All lists of `count` items in the items' order, repeats allowed. */
function* choicesWithRepeats<T>(items: readonly T[], count: number, from = 0): Generator<T[]> {
  if (count === 0) yield []
  else
    for (const [i, item] of items.entries())
      if (i >= from) for (const rest of choicesWithRepeats(items, count - 1, i)) yield [item, ...rest]
}
