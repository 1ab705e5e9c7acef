/** Tail probabilities of the distributions that tests of significance use. All are exact to about 1e-12, relatively, in the far tail too. */
import { requireCount, requireNumber, requirePositive, requireWithin } from './check.ts'

/** Lanczos' series for log Gamma with g = 7. */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** log Gamma(x) for x > 0. */
export function logGamma(x: number): number {
  requirePositive('logGamma', 'x', x)
  // Below 1/2 the series loses digits: Gamma(x) = Gamma(x + 1) / x.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x)
  const [first = 0, ...others] = lanczos
  const sum = others.reduce((total, coefficient, i) => total + coefficient / (x + i), first)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Keeps the denominators of a continued fraction from 0. */
const tiny = 1e-300
const longestFraction = 10_000

/** b0 + a1 / (b1 + a2 / (b2 + ...)) by Lentz's method; `term(i)` gives [a_i, b_i] from i = 1. */
function continuedFraction(b0: number, term: (i: number) => readonly [number, number]): number {
  const away = (x: number): number => (Math.abs(x) < tiny ? tiny : x)
  let value = away(b0)
  let [c, d] = [value, 0]
  for (let i = 1; i < longestFraction; i++) {
    const [a, b] = term(i)
    d = 1 / away(b + a * d)
    c = away(b + a / c)
    value *= c * d
    if (Math.abs(c * d - 1) < 1e-15) break
  }
  return value
}

/** I_x(a, b), the distribution function of Beta(a, b) at x (continued fraction, DLMF 8.17.22). */
export function incompleteBeta(x: number, a: number, b: number): number {
  requireWithin('incompleteBeta', 'x', x, [0, 1])
  if (x === 0 || x === 1) return x
  // The fraction converges fast on this side of the mean only.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  )
  const fraction = continuedFraction(1, (i) => {
    const m = Math.floor(i / 2)
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    return [i % 2 === 0 ? even : odd, 1]
  })
  return front / fraction
}

/** P(T > t) of Student's t with `degrees` degrees of freedom. Infinite t are allowed; NaN for NaN. */
export function studentTail(t: number, degrees: number): number {
  requirePositive('studentTail', 'degrees', degrees)
  if (Number.isNaN(t)) return Number.NaN
  const twoSided = Number.isFinite(t) ? incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) : 0
  return t > 0 ? twoSided / 2 : 1 - twoSided / 2
}

/** P(X > x) of the chi-square distribution: the upper incomplete Gamma function Q(degrees / 2, x / 2). */
export function chiSquareTail(x: number, degrees: number): number {
  requireNumber('chiSquareTail', 'x', x)
  requirePositive('chiSquareTail', 'degrees', degrees)
  const [a, z] = [degrees / 2, x / 2]
  if (z <= 0) return 1
  if (z === Number.POSITIVE_INFINITY) return 0
  const front = Math.exp(a * Math.log(z) - z - logGamma(a))
  if (z >= a + 1) return front / continuedFraction(z + 1 - a, (i) => [-i * (i - a), z + 2 * i + 1 - a])
  let [sum, term] = [1 / a, 1 / a]
  for (let n = a + 1; term > sum * 1e-17; n++) {
    term *= z / n
    sum += term
  }
  return 1 - front * sum
}

/**
 * The exact two-sided test of `successes` in `trials` against the probability p, as scipy.stats.binomtest: the probability of all
 * counts that are not more probable than the one found.
 */
export function binomialTest(successes: number, trials: number, p: number): number {
  requireCount('binomialTest', 'trials', trials)
  requireCount('binomialTest', 'successes', successes)
  requireWithin('binomialTest', 'successes', successes, [0, trials])
  requireWithin('binomialTest', 'p', p, [0, 1])
  if (p === 0 || p === 1) return successes === trials * p ? 1 : 0
  const probability = (k: number): number =>
    Math.exp(
      logGamma(trials + 1) -
        logGamma(k + 1) -
        logGamma(trials - k + 1) +
        k * Math.log(p) +
        (trials - k) * Math.log1p(-p),
    )
  // Counts that are equally probable but for roundings belong to the tail.
  const limit = probability(successes) * (1 + 1e-7)
  let sum = 0
  for (let k = 0; k <= trials; k++) {
    const each = probability(k)
    if (each <= limit) sum += each
  }
  return Math.min(sum, 1)
}

/** Pearson's chi-square test of independence of a table of counts [rows][columns], without continuity correction. */
export function chiSquareTest(counts: readonly (readonly number[])[]): { statistic: number; p: number } {
  const rows = counts.map((row) => row.reduce((sum, count) => sum + count, 0))
  const width = counts[0]?.length ?? 0
  const columns = Array.from({ length: width }, (_, j) => counts.reduce((sum, row) => sum + (row[j] ?? 0), 0))
  const total = rows.reduce((sum, count) => sum + count, 0)
  let statistic = 0
  for (const [i, row] of counts.entries()) {
    for (const [j, count] of row.entries()) {
      const independent = ((rows[i] ?? 0) * (columns[j] ?? 0)) / total
      statistic += (count - independent) ** 2 / independent
    }
  }
  return { statistic, p: chiSquareTail(statistic, (rows.length - 1) * (width - 1)) }
}

/** Student's t of the mean of n differences against 0 from their sum and their sum of squares, with P(T > t). NaN if all are 0. */
export function pairedTest(n: number, sum: number, squares: number): { t: number; p: number } {
  requireCount('pairedTest', 'n', n, 2)
  const mean = sum / n
  const variance = Math.max(0, (squares - n * mean * mean) / (n - 1))
  const t = mean / Math.sqrt(variance / n)
  return { t, p: studentTail(t, n - 1) }
}

/** Holm's correction for many tests: adjusted p-values, in the order given; NaN where there was no test. */
export function holmCorrection(values: readonly number[]): number[] {
  const order = [...values.keys()]
    .filter((i) => !Number.isNaN(values[i]))
    .sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0))
  const adjusted = values.map(() => Number.NaN)
  let most = 0
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, (order.length - rank) * (values[i] ?? 0)))
    adjusted[i] = most
  }
  return adjusted
}

/** Wilson's interval for a share of `successes` in `trials`; z = 1.96 is 95 %. [0, 1] without trials. */
export function wilsonInterval(successes: number, trials: number, z = 1.959963984540054): [number, number] {
  if (trials === 0) return [0, 1]
  const share = successes / trials
  const scale = 1 + z ** 2 / trials
  const centre = (share + z ** 2 / (2 * trials)) / scale
  const half = (z * Math.sqrt((share * (1 - share)) / trials + (z / (2 * trials)) ** 2)) / scale
  // At the ends the formula gives 0 and 1, which rounding misses.
  return [successes === 0 ? 0 : Math.max(0, centre - half), successes === trials ? 1 : Math.min(1, centre + half)]
}
