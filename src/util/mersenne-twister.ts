/** NumPy's RandomState: MT19937 (Matsumoto and Nishimura 1998), for numbers that other programs drew with a seed. */
import { UsageError } from './errors.ts'

const [size, middle] = [624, 397]

/** The words of the state, and how many of them were used. */
export class MersenneTwister {
  readonly #state = new Uint32Array(size)
  #next = size

  /** A whole number from 0 to 2^32 - 1. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
      throw new UsageError(`MersenneTwister: the seed must be a whole number from 0 to 4294967295, found ${seed}`)
    this.#state[0] = seed
    for (let i = 1; i < size; i++) {
      const before = this.#state[i - 1] ?? 0
      this.#state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i
    }
  }

  /** The next 32 bits. */
  word(): number {
    if (this.#next === size) this.#twist()
    let y = this.#state[this.#next++] ?? 0
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  #twist(): void {
    const state = this.#state
    for (let i = 0; i < size; i++) {
      const y = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % size] ?? 0) & 0x7fffffff)
      state[i] = (state[(i + middle) % size] ?? 0) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
    }
    this.#next = 0
  }

  /** Uniform in [0, 1), 53 bits: RandomState(seed).random_sample(count). */
  uniform(count: number): Float64Array {
    return Float64Array.from({ length: count }, () => ((this.word() >>> 5) * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53)
  }
}
