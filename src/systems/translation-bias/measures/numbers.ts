/** Means and spreads of lists of numbers. */
import { meanOf } from '../../../util/vectors.ts'

/** The unbiased variance (n - 1 in the denominator). */
export function variance(values: readonly number[]): number {
  const centre = meanOf(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
}

/** Pearson's correlation of two lists of equal length. */
export function pearsonCorrelation(x: readonly number[], y: readonly number[]): number {
  const [centreX, centreY] = [meanOf(x), meanOf(y)]
  let [xx, yy, xy] = [0, 0, 0]
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - centreX, (y[i] ?? Number.NaN) - centreY]
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  return xy / Math.sqrt(xx * yy)
}

/** Share of the values in each of `bins` equal parts of [0, 1]; 1 belongs to the last. */
export function histogram(values: readonly number[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0)
  for (const value of values) {
    const bin = Math.min(Math.floor(value * bins), bins - 1)
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts.map((count) => count / values.length)
}
