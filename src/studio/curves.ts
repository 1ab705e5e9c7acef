/**
 * Curves of any length in few points: neighbouring rows share a bucket, which keeps their mean, least and greatest value. When there
 * are too many buckets, pairs of them become one, so a curve that grows costs the same whether it has a thousand rows or a million.
 */

/** One metric over the buckets of a curve; null where no row has it. */
export interface CurveSeries {
  readonly mean: (number | null)[]
  readonly min: (number | null)[]
  readonly max: (number | null)[]
  /** Values in each bucket. */
  readonly count: number[]
}

export interface Curve {
  /** Rows in a bucket, all but the last one: a power of two. */
  every: number
  /** Rows in all. */
  rows: number
  /** The step of the last row in each bucket. */
  readonly x: number[]
  readonly series: Record<string, CurveSeries>
}

/** Buckets of a curve, at most: as many as a chart has room for. */
export const mostBuckets = 1024

export function emptyCurve(): Curve {
  return { every: 1, rows: 0, x: [], series: {} }
}

/** A series of so many buckets without a value. */
export function emptySeries(length: number): CurveSeries {
  const nothing = (): null[] => new Array<null>(length).fill(null)
  return { mean: nothing(), min: nothing(), max: nothing(), count: new Array<number>(length).fill(0) }
}

/** The mean of both means, each weighed by its count. */
function mix(a: number | null, countA: number, b: number | null, countB: number): number | null {
  if (a === null || b === null) return a ?? b
  return a + ((b - a) * countB) / (countA + countB)
}

function extreme(a: number | null, b: number | null, choose: (...values: number[]) => number): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b)
}

/** Adds what one bucket has to another one of the same series. */
function merge(series: CurveSeries, into: number, from: CurveSeries, at: number): void {
  const [countA = 0, countB = 0] = [series.count[into], from.count[at]]
  series.mean[into] = mix(series.mean[into] ?? null, countA, from.mean[at] ?? null, countB)
  series.min[into] = extreme(series.min[into] ?? null, from.min[at] ?? null, Math.min)
  series.max[into] = extreme(series.max[into] ?? null, from.max[at] ?? null, Math.max)
  series.count[into] = countA + countB
}

/** Makes one bucket of each pair. */
function halve(curve: Curve): void {
  const length = Math.ceil(curve.x.length / 2)
  for (let i = 0; i < length; i++) curve.x[i] = curve.x[Math.min(2 * i + 1, curve.x.length - 1)] ?? 0
  curve.x.length = length
  for (const [name, series] of Object.entries(curve.series)) {
    const half = emptySeries(length)
    for (let i = 0; i < series.count.length; i++) merge(half, i >> 1, series, i)
    curve.series[name] = half
  }
  curve.every *= 2
}

function addValue(series: CurveSeries, bucket: number, value: number): void {
  const count = (series.count[bucket] ?? 0) + 1
  const mean = series.mean[bucket] ?? 0
  series.mean[bucket] = mean + (value - mean) / count
  series.min[bucket] = Math.min(series.min[bucket] ?? value, value)
  series.max[bucket] = Math.max(series.max[bucket] ?? value, value)
  series.count[bucket] = count
}

/** Adds a row; a value that is missing, null or not finite is left out. `buckets`: how many there may be. */
export function addRow(
  curve: Curve,
  step: number,
  values: Iterable<readonly [string, number | null | undefined]>,
  buckets = mostBuckets,
): void {
  if (curve.rows === curve.every * buckets) halve(curve)
  const bucket = Math.floor(curve.rows / curve.every)
  curve.rows++
  const isNew = bucket === curve.x.length
  curve.x[bucket] = step
  if (isNew) {
    for (const series of Object.values(curve.series)) {
      for (const column of [series.mean, series.min, series.max]) column.push(null)
      series.count.push(0)
    }
  }
  for (const [name, value] of values) {
    if (typeof value !== 'number' || !Number.isFinite(value)) continue
    let series = curve.series[name]
    if (!series) {
      series = emptySeries(curve.x.length)
      curve.series[name] = series
    }
    addValue(series, bucket, value)
  }
}

/** A copy with every number rounded to seven digits, those of float32: shorter to send. */
export function roundedCurve(curve: Curve): Curve {
  const round = (column: readonly (number | null)[]): (number | null)[] =>
    column.map((value) => (value === null ? null : Number(value.toPrecision(7))))
  const series = Object.entries(curve.series).map(([name, { mean, min, max, count }]): [string, CurveSeries] => {
    return [name, { mean: round(mean), min: round(min), max: round(max), count: count.slice() }]
  })
  return { ...curve, x: [...curve.x], series: Object.fromEntries(series) }
}
