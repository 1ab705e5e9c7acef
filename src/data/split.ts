/** Which examples are held out for testing, by their names. */
import { deriveSeed, Generator } from '../util/random.ts'

/** Numbers of examples. */
export interface Sides {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

/** A number in [0, 1) that only depends on name and seed. The same name in other Unicode form (macOS decomposes) gives the same. */
export function nameHash(name: string, seed: number): number {
  return Number(deriveSeed(seed, 'split', name.normalize('NFC')) >> 11n) / 2 ** 53
}

/**
 * Holds out the examples whose hash is below `share`: each by its own name alone, so that adding, deleting or renaming some moves no
 * other. `share` is met on average, in a small set not exactly, and a small class may get no test example. One exception: where no hash
 * is below the share, the `least` lowest are held out (default: one, if the share is about one example or more).
 */
export function splitByName(
  names: readonly string[],
  share: number,
  seed: number,
  least = Math.min(1, Math.round(share * names.length)),
): Sides {
  const hashes = names.map((name) => nameHash(name, seed))
  const isEmpty = !hashes.some((hash) => hash < share)
  const limit = isEmpty ? (hashes.toSorted((a, b) => a - b)[least] ?? share) : share
  const rows = [...names.keys()]
  return {
    train: rows.filter((row) => (hashes[row] ?? 0) >= limit),
    test: rows.filter((row) => (hashes[row] ?? 0) < limit),
  }
}

/**
 * Holds out `count` examples drawn at random; both sides keep their order. For sets that are the same for everyone, since one example
 * less is another draw.
 */
export function splitRandomly(length: number, count: number, seed: number | bigint): Sides {
  const order = new Generator(seed).permutation(length)
  return { train: [...order.subarray(count).sort()], test: [...order.subarray(0, count).sort()] }
}
