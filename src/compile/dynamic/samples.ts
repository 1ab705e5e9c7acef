/** At which sizes a function with dynamic axes is traced. */

/** All primes from `low` to `high`: equal to no size of a model but by chance, and no multiples of one another. */
function primes(low: number, high: number): number[] {
  const isPrime = (n: number): boolean => {
    for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
    return true
  }
  return range(low, high).filter(isPrime)
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
 * which ops take another form; the function may refuse them (more positions than it has), or want multiples of those it was called with.
 */
export function samplePoints(sizes: readonly number[]): readonly (readonly (readonly number[])[])[] {
  const count = pointCount(sizes.length)
  const pools = [primes(137, 239), primes(29, 127), range(11, 27), range(4, 10)]
  const multiples = range(0, count - 1).map((point) =>
    sizes.map((size, name) => size * (2 + name + point * sizes.length)),
  )
  return [
    ...pools.flatMap((pool) =>
      pool.length >= Math.max(sizes.length, 3 * count - 2) ? [spread(pool, sizes.length, count)] : [],
    ),
    multiples,
  ]
}
