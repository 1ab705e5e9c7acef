/**
 * The random numbers of JAX that the Random baseline needs: its matrices are in no checkpoint, only the seed is.
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"), counters laid out as in
 * jax/_src/prng.py with `jax_threefry_partitionable` (the default since JAX 0.5).
 */
import { deviationWithinTwo, inverseNormal, massWithinTwo } from './normal.ts'

/** A JAX key: two 32-bit words. */
export type JaxKey = readonly [number, number]

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

/** Threefry-2x32: a block of two words under a key, as unsigned numbers. */
export function threefry([key0, key1]: JaxKey, [count0, count1]: JaxKey): JaxKey {
  const schedule = [key0, key1, key0 ^ key1 ^ 0x1bd11bda] as const
  let [x, y] = [(count0 + key0) | 0, (count1 + key1) | 0]
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2 === 0 ? 0 : 1]) {
      x = (x + y) | 0
      y = rotateLeft(y, by) ^ x
    }
    x = (x + (schedule[(group + 1) % 3] ?? 0)) | 0
    y = (y + (schedule[(group + 2) % 3] ?? 0) + group + 1) | 0
  }
  return [x >>> 0, y >>> 0]
}

/** jax.random.PRNGKey(seed) of a seed from 0 to 2^32 - 1 (64-bit seeds need a setting that the official code leaves off). */
export function jaxKey(seed: number): JaxKey {
  return [0, seed >>> 0]
}

/** jax.random.split(key): two independent keys. */
export function splitKey(key: JaxKey): readonly [JaxKey, JaxKey] {
  return [threefry(key, [0, 0]), threefry(key, [0, 1])]
}

/**
 * flax's `lecun_normal()(key, [rows, columns])`: normal, cut off at two standard deviations, rescaled to variance 1 / rows.
 * The uniform numbers are JAX's bit for bit; the inverse error function is ours, so values agree to some 1e-7.
 */
export function jaxLecunNormal(key: JaxKey, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows * columns)
  const low = Math.fround(-massWithinTwo)
  const span = Math.fround(2 * Math.fround(massWithinTwo))
  const scale = Math.sqrt(1 / rows) / deviationWithinTwo
  for (let i = 0; i < values.length; i++) {
    const [first, second] = threefry(key, [0, i])
    const fraction = ((first ^ second) >>> 9) * 2 ** -23
    const uniform = Math.max(low, Math.fround(Math.fround(fraction * span) + low)) // in [-mass, mass)
    values[i] = inverseNormal(uniform / 2) * scale
  }
  return values
}
