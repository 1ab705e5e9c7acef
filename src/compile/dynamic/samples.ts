/** At which sizes a function with dynamic axes is traced. */

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return Number.isInteger(n) && n > 1
}

/**
 * Primes and doubled primes by turns: equal to no size of a model but by chance, without divisors that a function may rely on, and both
 * odd and even, so that what is rounded to a whole number is not taken for a linear function.
 */
function unusualSizes(low: number, high: number): number[] {
  const all = range(low, high)
  const [odd, even] = [all.filter(isPrime), all.filter((n) => isPrime(n / 2))]
  return odd.flatMap((n, i) => [n, ...even.slice(i, i + 1)])
}

function range(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => low + i)
}

/** Points that tell sums of one size, of two and of three, and one more that shows whether what was found is right. */
function pointCount(names: number): number {
  return Math.min(names, 3) + 2
}

/** A point for each of `count`, with the sizes of all names different from one another and from those at other points. */
function spread(pool: readonly number[], names: number, count: number): number[][] {
  return range(0, count - 1).map((point) =>
    range(0, names - 1).map((name) => pool[(point * 3 + name * (names > pool.length / 7 ? 1 : 7)) % pool.length] ?? 0),
  )
}

/**
 * Lists of points to try, one after the other: a point has a size for each dynamic axis. The first ones are large, and below the sizes at
 * which ops take another form; the function may refuse them (more positions than it has).
 */
export function samplePoints(names: number): readonly (readonly (readonly number[])[])[] {
  const count = pointCount(names)
  const pools = [unusualSizes(137, 239), unusualSizes(29, 127), range(11, 27), range(4, 10)]
  return pools.flatMap((pool) => (pool.length >= Math.max(names, 3 * count - 2) ? [spread(pool, names, count)] : []))
}

/** Points for a function that wants multiples of some number: of the sizes that it was called with. */
export function multiples(sizes: readonly number[]): readonly (readonly number[])[] {
  const points = range(0, pointCount(sizes.length) - 1)
  return points.map((point) => sizes.map((size, name) => size * (2 + name + point * sizes.length)))
}
