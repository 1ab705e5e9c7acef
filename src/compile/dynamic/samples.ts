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

// Steps from point to point and from name to name in a list of sizes.
const [pointStep, nameStep] = [3, 7]

/** `count` points: at each the sizes of all names differ, and so do the sizes of a name at all points. */
function spread(pool: readonly number[], names: number, count: number): number[][] {
  const step = pool.length % nameStep === 0 ? 1 : nameStep
  return range(0, count - 1).map((point) =>
    range(0, names - 1).map((name) => pool[(point * pointStep + name * step) % pool.length] ?? 0),
  )
}

/**
 * Lists of points to try, one after the other: a point has a size for each dynamic axis. The first ones are large, and below the sizes at
 * which ops take another form; the function may refuse them (more positions than it has). In a list no size is twice another or more: no
 * product of one size with a batch is another size.
 */
export function samplePoints(names: number): readonly (readonly (readonly number[])[])[] {
  return listsOf([unusualSizes(137, 239), unusualSizes(29, 57), range(11, 21), range(5, 9)], names)
}

/** The same for a function that refuses all of these: fewer than it needs, such as blocks of 512 tokens. */
export function largePoints(names: number): readonly (readonly (readonly number[])[])[] {
  return listsOf([unusualSizes(521, 997), unusualSizes(1031, 1999)], names)
}

function listsOf(pools: readonly (readonly number[])[], names: number): (readonly (readonly number[])[])[] {
  const count = pointCount(names)
  const fits = ({ length }: readonly number[]): boolean => length % pointStep !== 0 && length >= Math.max(names, count)
  return pools.filter(fits).map((pool) => spread(pool, names, count))
}

/** Points for a function that wants multiples of some number: of the sizes that it was called with. */
export function multiples(sizes: readonly number[]): readonly (readonly number[])[] {
  const points = range(0, pointCount(sizes.length) - 1)
  return points.map((point) => sizes.map((size, name) => size * (2 + name + point * sizes.length)))
}
