/** Which examples are held out for testing, by their names. */
import { deriveSeed, Generator } from '../util/random.ts'

/** Numbers of examples. */
export interface Sides {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

/** The items with the given numbers, in that order. */
export function pick<T>(items: readonly T[], numbers: readonly number[]): T[] {
  return numbers.flatMap((number) => items.slice(number, number + 1))
}

/**
 * A number in [0, 1) for each name, which depends only on the name and the seed. The same name in another Unicode form (macOS decomposes) has
 * the same.
 */
export function nameHashes(names: readonly string[], seed: number): number[] {
  const base = deriveSeed(seed, 'split')
  return names.map((name) => Number(deriveSeed(base, name.normalize('NFC')) >> 11n) / 2 ** 53)
}

/**
 * Holds out the examples whose hash is below `share`: each by its own name alone, so that adding, deleting or renaming some does not move any
 * other. `share` is met on average, in a small set not exactly, and a small class may get no test example. One exception: where no hash
 * is below the share, the `least` lowest are held out (default: one, if the share is about one example or more).
 */
export function splitByName(
  names: readonly string[],
  share: number,
  seed: number,
  least = Math.min(1, Math.round(share * names.length)),
): Sides {
  const hashes = nameHashes(names, seed)
  const lowest = hashes.toSorted((a, b) => a - b)
  const isEmpty = (lowest[0] ?? 1) >= share
  const bound = lowest[least - 1] ?? -1 // examples of one name are together on either side
  const isHeld = isEmpty ? (hash: number) => hash <= bound : (hash: number) => hash < share
  const rows = [...names.keys()]
  return {
    train: rows.filter((row) => !isHeld(hashes[row] ?? 0)),
    test: rows.filter((row) => isHeld(hashes[row] ?? 0)),
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

/** Holds out a share of a corpus that is the same for everyone, drawn at random. */
export function splitCorpus(share: number, seed: number): (names: readonly string[]) => Sides {
  return ({ length }) => splitRandomly(length, Math.max(1, Math.round(share * length)), deriveSeed(seed, 'split'))
}
