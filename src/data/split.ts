/** Which examples are held out for testing, by their names. */
import { deriveSeed, Generator } from '../util/random.ts'

/** Numbers of examples. */
export interface Sides {
  readonly train: readonly number[]
  readonly test: readonly number[]
}

/** A number in [0, 1) that only depends on name and seed. The same name in other Unicode form (macOS decomposes) gives the same. */
export function nameHash(name: string, seed: number): number {
  return Number(deriveSeed(seed, 'hold-out', name.normalize('NFC')) >> 11n) / 2 ** 53
}

/**
 * Holds out the examples whose hash is below `share`: each by its own name alone, so that adding, deleting or renaming some moves no
 * other. `share` is met on average, in a small set not exactly, and a small class may get no test example. One exception, since
 * nothing can be learned of a model without: where the share is at least one example and no hash is below it, the lowest is held out.
 */
export function splitByName(names: readonly string[], share: number, seed: number): Sides {
  const hashes = names.map((name) => nameHash(name, seed))
  const lowest = hashes.reduce((a, b) => Math.min(a, b), 1)
  const limit = lowest >= share && Math.round(share * names.length) >= 1 ? lowest : undefined
  const sides = { train: [] as number[], test: [] as number[] }
  for (const [i, hash] of hashes.entries()) {
    sides[limit === undefined ? (hash < share ? 'test' : 'train') : hash === limit ? 'test' : 'train'].push(i)
  }
  return sides
}

/**
 * Holds out `count` examples drawn at random; both sides keep their order. For sets that are the same for everyone, since one example
 * less is another draw.
 */
export function splitRandomly(length: number, count: number, seed: number | bigint): Sides {
  const order = new Generator(seed).permutation(length)
  return { train: [...order.subarray(count).sort()], test: [...order.subarray(0, count).sort()] }
}
