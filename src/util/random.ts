import { UsageError } from './errors.ts'
import { keystream } from './keystream.ts'
import { inverseNormal, massWithinTwo } from './normal.ts'

/** Words made at once: 256 KiB stays in cache between the cipher and the conversion. Even, so that pairs are never split. */
const chunkWords = 65_536
/** A `Generator` makes at least this many words at once, so that many small draws share one call of the cipher. */
const leastWords = 256
const twoTo32 = 2 ** 32

/** What a key is for: streams of one seed with different purposes are unrelated. */
const purpose = { calls: 0, sequence: 1, number: 2, string: 3 } as const

/** The AES-128 key of a seed: the seed as 8 bytes big-endian, the 7 ASCII bytes `tenfold`, 1 byte for the purpose. */
function keyOf(seed: number | bigint, use: number): Uint8Array {
  const key = new Uint8Array(16)
  new DataView(key.buffer).setBigUint64(0, seedBits(seed))
  for (let i = 0; i < 7; i++) key[8 + i] = 'tenfold'.charCodeAt(i)
  key[15] = use
  return key
}

/** A seed as 64 bits, two's complement if negative. */
function seedBits(seed: number | bigint): bigint {
  const bits = typeof seed === 'bigint' || Number.isSafeInteger(seed) ? BigInt(seed) : undefined
  if (bits === undefined || bits < -(2n ** 63n) || bits >= 2n ** 64n) {
    throw new UsageError(`random: a seed must be a whole number of at most 64 bits, found ${seed}`, {
      hint: 'a number up to 2^53 or a bigint below 2^64 will do',
    })
  }
  return BigInt.asUintN(64, bits)
}

function counterBlock(high: bigint, low: bigint): Uint8Array {
  const block = new Uint8Array(16)
  const view = new DataView(block.buffer)
  view.setBigUint64(0, high)
  view.setBigUint64(8, low)
  return block
}

function whole(name: string, value: number, low: number, high: number): number {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new UsageError(`random: ${name} must be a whole number from ${low} to ${high}, found ${value}`)
  }
  return value
}

/** An element count, at most 2^34. */
function elements(count: number): number {
  return whole('count', count, 0, 2 ** 34)
}

function viewWords(bytes: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

/** The upper 24 bits of each word as a fraction in [0, 1). */
function toUniform(words: Uint32Array, out: Float32Array, start: number): void {
  for (let i = 0; i < words.length; i++) out[start + i] = ((words[i] ?? 0) >>> 8) * 2 ** -24
}

/** Box-Muller on pairs of words, in float64: u1 in (0, 1] and u2 in [0, 1) of 32 bits; largest absolute value 6.66. */
function toNormal(words: Uint32Array, out: Float32Array, start: number): void {
  for (let i = 0; i + 1 < words.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((words[i] ?? 0) + 1) / twoTo32))
    const angle = ((words[i + 1] ?? 0) / twoTo32) * 2 * Math.PI
    out[start + i] = radius * Math.cos(angle)
    out[start + i + 1] = radius * Math.sin(angle) // an odd count's last one falls beyond the array, where writes are dropped
  }
}

/** Standard exponential numbers from the middles of 2^32 equal parts of [0, 1]: from 1.2e-10 to 22.9. */
function toExponential(words: Uint32Array, out: Float32Array, start: number): void {
  for (let i = 0; i < words.length; i++) out[start + i] = -Math.log(((words[i] ?? 0) + 0.5) / twoTo32)
}

/** The quantile of each word (as a fraction, at its middle) of the normal distribution restricted to [-2, 2]. */
function toTruncatedNormal(words: Uint32Array, out: Float32Array, start: number): void {
  for (let i = 0; i < words.length; i++) {
    out[start + i] = inverseNormal((((words[i] ?? 0) + 0.5) / twoTo32 - 0.5) * massWithinTwo)
  }
}

/**
 * A seed for one use out of many, as a pure function of a seed and a path of names and numbers: `deriveSeed(seed, 'shuffle', epoch)`.
 * Each part is one AES block: seed' = the first 8 bytes of AES_key(seed)(part), a string going through its 64-bit FNV-1a hash.
 */
export function deriveSeed(seed: number | bigint, ...path: readonly (string | number | bigint)[]): bigint {
  let derived = seedBits(seed)
  for (const part of path) {
    const isText = typeof part === 'string'
    const key = keyOf(derived, isText ? purpose.string : purpose.number)
    const block = keystream(key, counterBlock(isText ? fnv1a(part) : seedBits(part), 0n), 8)
    derived = new DataView(block.buffer, block.byteOffset).getBigUint64(0)
  }
  return derived
}

function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

/**
 * Stateless random numbers: word i of (seed, call, lane) is always the same, on every platform, whatever else was drawn.
 * AES-128-CTR; the counter block is the call's number (8 bytes), the lane (4) and the block's index in the lane (4), big-endian.
 * `call` counts the runs of a compiled function (0 to 2^64 - 1), `lane` tells its random operations apart (0 to 2^32 - 1).
 * A word is 4 bytes of the stream in the platform's order, little-endian wherever Node or a browser runs.
 */
export class RandomStream {
  readonly #key: Uint8Array

  constructor(seed: number | bigint) {
    this.#key = keyOf(seed, purpose.calls)
  }

  /** `count` raw 32-bit words. */
  bits(call: number | bigint, lane: number, count: number): Int32Array {
    const out = new Int32Array(elements(count))
    this.#visit(call, lane, count, (words, start) => out.set(words, start))
    return out
  }

  /** `count` numbers in [0, 1), multiples of 2^-24: the upper 24 bits of the same words that `bits` gives. */
  uniform(call: number | bigint, lane: number, count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(call, lane, count, (words, start) => toUniform(words, out, start))
    return out
  }

  /** `count` standard normal numbers: Box-Muller in float64, rounded; numbers 2i and 2i + 1 come from words 2i and 2i + 1. */
  normal(call: number | bigint, lane: number, count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(call, lane, count + (count % 2), (words, start) => toNormal(words, out, start))
    return out
  }

  /** `count` standard exponential numbers, -log u in float64, rounded; the word w gives u = (w + 1/2) / 2^32. */
  exponential(call: number | bigint, lane: number, count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(call, lane, count, (words, start) => toExponential(words, out, start))
    return out
  }

  #visit(call: number | bigint, lane: number, count: number, use: (words: Uint32Array, start: number) => void): void {
    const number = typeof call === 'bigint' || Number.isSafeInteger(call) ? BigInt(call) : -1n
    if (number < 0n || number >= 2n ** 64n) {
      throw new UsageError(`random: call must be a whole number from 0 to 2^64 - 1, found ${call}`)
    }
    whole('lane', lane, 0, twoTo32 - 1)
    for (let start = 0; start < count; start += chunkWords) {
      const length = Math.min(chunkWords, count - start)
      const counter = counterBlock(number, (BigInt(lane) << 32n) + BigInt(start / 4))
      use(viewWords(keystream(this.#key, counter, length * 4)), start)
    }
  }
}

/**
 * Random numbers one after the other, for initial values, shuffling and sampling. `position` counts the 32-bit words drawn so far:
 * save it and set it again to continue from there. Unrelated to the `RandomStream` of the same seed.
 */
export class Generator {
  position: bigint
  readonly #key: Uint8Array
  #words = new Uint32Array(0)
  #wordsStart = 0n

  constructor(seed: number | bigint, position = 0n) {
    this.#key = keyOf(seed, purpose.sequence)
    this.position = position
  }

  /** `count` numbers in [0, 1), multiples of 2^-24. Takes one word each. */
  uniform(count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(count, (words, start) => toUniform(words, out, start))
    return out
  }

  /** `count` standard normal numbers by Box-Muller. Takes two words for each two numbers, also for a last single one. */
  normal(count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(count + (count % 2), (words, start) => toNormal(words, out, start))
    return out
  }

  /**
   * `count` numbers of the standard normal distribution restricted to [-2, 2], by its inverse distribution function; standard deviation
   * 0.8796, not rescaled (jax.random.truncated_normal, flax initializers before they rescale). Takes one word each.
   */
  truncatedNormal(count: number): Float32Array {
    const out = new Float32Array(elements(count))
    this.#visit(count, (words, start) => toTruncatedNormal(words, out, start))
    return out
  }

  /** `count` whole numbers, each of low, ..., high - 1 equally likely. Takes one word each, and one more for each of the rare rejections. */
  integers(low: number, high: number, count: number): Int32Array {
    whole('low', low, -(2 ** 31), 2 ** 31 - 1)
    whole('high', high, low + 1, 2 ** 31)
    const out = new Int32Array(elements(count))
    this.#visit(count, (words, start) => {
      for (let i = 0; i < words.length; i++) out[start + i] = low + this.#below(high - low, words[i] ?? 0)
    })
    return out
  }

  /** The numbers 0, ..., length - 1 in random order, each order equally likely (Fisher-Yates). */
  permutation(length: number): Uint32Array {
    const order = new Uint32Array(whole('length', length, 0, twoTo32 - 1))
    for (let i = 0; i < length; i++) order[i] = i
    this.#visit(Math.max(length - 1, 0), (words, start) => {
      for (let k = 0; k < words.length; k++) {
        const last = length - 1 - start - k
        const chosen = this.#below(last + 1, words[k] ?? 0)
        const swapped = order[last] ?? 0
        order[last] = order[chosen] ?? 0
        order[chosen] = swapped
      }
    })
    return order
  }

  /** `count` bytes, 1 with the given probability (to 32 bits), else 0. Takes one word each. */
  bernoulli(probability: number, count: number): Uint8Array {
    if (!(probability >= 0 && probability <= 1)) {
      throw new UsageError(`random: a probability must be from 0 to 1, found ${probability}`)
    }
    const out = new Uint8Array(elements(count))
    const limit = Math.round(probability * twoTo32)
    this.#visit(count, (words, start) => {
      for (let i = 0; i < words.length; i++) out[start + i] = (words[i] ?? 0) < limit ? 1 : 0
    })
    return out
  }

  #visit(count: number, use: (words: Uint32Array, start: number) => void): void {
    for (let start = 0; start < count; start += chunkWords) use(this.#take(Math.min(chunkWords, count - start)), start)
  }

  /** A number below `range` from a word, unbiased: words of the incomplete last multiple of `range` are replaced by fresh ones. */
  #below(range: number, word: number): number {
    const limit = twoTo32 - (twoTo32 % range)
    let chosen = word
    while (chosen >= limit) chosen = this.#take(1)[0] ?? 0
    return chosen % range
  }

  /** The next `count` words. What it has handed out is never written again. */
  #take(count: number): Uint32Array {
    const from = this.position
    if (from < 0n) throw new UsageError(`random: a position must not be negative, found ${from}`)
    let offset = Number(from - this.#wordsStart)
    if (offset < 0 || offset + count > this.#words.length) {
      const block = from >> 2n
      offset = Number(from & 3n)
      const blocks = Math.ceil((offset + Math.max(count, leastWords)) / 4)
      this.#words = viewWords(keystream(this.#key, counterBlock(block >> 64n, BigInt.asUintN(64, block)), blocks * 16))
      this.#wordsStart = block << 2n
    }
    this.position = from + BigInt(count)
    return this.#words.subarray(offset, offset + count)
  }
}
