import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/util/errors.ts'
import { nativeKeystream, portableKeystream } from '../../src/util/keystream.ts'
import { inverseNormal } from '../../src/util/normal.ts'
import { deriveSeed, Generator, RandomStream } from '../../src/util/random.ts'

function thrown(action: () => unknown): { message: string; hint: string | undefined } {
  try {
    action()
  } catch (error) {
    if (error instanceof UsageError) return { message: error.message, hint: error.hint }
    throw error
  }
  throw new Error('nothing was thrown')
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
}

function moment(values: ArrayLike<number>, power: number): number {
  return mean(Array.from(values, (value) => value ** power))
}

/** sum (observed - expected)^2 / expected. */
function chiSquare(counts: ArrayLike<number>, expected: number): number {
  return Array.from(counts).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

describe('keystream', () => {
  test('the platform and the pure JavaScript cipher give the same bytes', () => {
    const native = nativeKeystream
    if (native === undefined) throw new Error('this Node has no process.getBuiltinModule')
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(16), bytes(16), fc.nat(3000), (key, counter, length) => {
        expect(Buffer.compare(portableKeystream(key, counter, length), native(key, counter, length))).toBe(0)
      }),
      { seed: 1, numRuns: 60 },
    )
    const last = new Uint8Array(16).fill(255) // the counter wraps around
    expect(Buffer.compare(portableKeystream(last, last, 300_000), native(last, last, 300_000))).toBe(0)
  })

  test('is the AES-128-CTR of NIST SP 800-38A, F.5.1', () => {
    const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex')
    const counter = Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex')
    const stream = 'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae'
    expect(Buffer.from(portableKeystream(key, counter, 32)).toString('hex')).toBe(stream)
  })
})

describe('RandomStream', () => {
  test('words follow the documented key and counter', () => {
    const key = Buffer.concat([Buffer.from('00000000000004d2', 'hex'), Buffer.from('tenfold\0', 'latin1')])
    const counter = Buffer.from('00000000000000070000000300000000', 'hex')
    const expected = createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(40))
    const words = new RandomStream(1234).bits(7, 3, 10)
    expect(Array.from(words)).toEqual(Array.from({ length: 10 }, (_, i) => expected.readInt32LE(4 * i)))
  })

  test('is a pure function of seed, call and lane, and a shorter draw is the beginning of a longer one', () => {
    const stream = new RandomStream(5n)
    const long = stream.bits(9n, 2, 200_001)
    stream.normal(1, 0, 10)
    expect(stream.bits(9, 2, 200_001).join()).toBe(long.join())
    expect(new RandomStream(5).bits(9, 2, 131_075).join()).toBe(long.subarray(0, 131_075).join())
    expect(stream.normal(3, 0, 7)).toEqual(stream.normal(3, 0, 70_001).slice(0, 7))
    const others = [stream.bits(9, 3, 4), stream.bits(10, 2, 4), new RandomStream(6).bits(9, 2, 4)]
    const firsts = new Set([long, ...others].map((words) => Array.from(words.subarray(0, 4)).join()))
    expect(firsts.size).toBe(4)
  })

  test('known values, so that a seed means the same for ever', () => {
    expect(Array.from(new RandomStream(0).bits(0, 0, 4))).toMatchInlineSnapshot(`
      [
        -1103062152,
        -1905146941,
        1094761090,
        -1607412093,
      ]
    `)
    expect(Array.from(new RandomStream(-1).normal(2n ** 64n - 1n, 2 ** 32 - 1, 3))).toMatchInlineSnapshot(`
      [
        0.5606799721717834,
        -0.9728142619132996,
        0.7895527482032776,
      ]
    `)
    expect(Array.from(new Generator(0).permutation(10))).toMatchInlineSnapshot(`
      [
        5,
        4,
        3,
        7,
        2,
        8,
        1,
        6,
        9,
        0,
      ]
    `)
    expect(deriveSeed(42, 'shuffle', 3)).toMatchInlineSnapshot(`1586409218232953970n`)
  })

  test('uniform: upper 24 bits of the words, flat, in [0, 1)', () => {
    const stream = new RandomStream(11)
    const values = stream.uniform(0, 0, 200_000)
    const words = stream.bits(0, 0, 200_000)
    expect(values.every((value, i) => value === ((words[i] ?? 0) >>> 8) / 2 ** 24 && value < 1)).toBe(true)
    const counts = new Uint32Array(100)
    for (const value of values) counts[Math.floor(value * 100)] = (counts[Math.floor(value * 100)] ?? 0) + 1
    expect(chiSquare(counts, 2000)).toBeLessThan(148) // 99 degrees of freedom: beyond it 1 in 1000
  })

  test('normal: moments, tails and neighbours', () => {
    const values = new RandomStream(3).normal(1, 0, 400_001)
    expect(values.length).toBe(400_001)
    expect(Math.abs(mean(values))).toBeLessThan(0.005)
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(0.008)
    expect(Math.abs(moment(values, 3))).toBeLessThan(0.02)
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(0.06)
    expect(Math.abs(mean(values.map((value) => (Math.abs(value) > 3 ? 1 : 0))) - 0.0027)).toBeLessThan(0.0004)
    expect(Math.abs(mean(values.map((value, i) => value * (values[i + 1] ?? 0))))).toBeLessThan(0.006)
  })

  test('refuses what is no seed, call, lane or count', () => {
    expect(thrown(() => new RandomStream(1.5))).toEqual({
      message: 'random: a seed must be a whole number of at most 64 bits, found 1.5',
      hint: 'a number up to 2^53 or a bigint below 2^64 will do',
    })
    const stream = new RandomStream(0)
    expect(thrown(() => stream.bits(-1, 0, 1)).message).toBe(
      'random: call must be a whole number from 0 to 2^64 - 1, found -1',
    )
    expect(thrown(() => stream.bits(0, 2 ** 32, 1)).message).toBe(
      'random: lane must be a whole number from 0 to 4294967295, found 4294967296',
    )
    expect(thrown(() => stream.uniform(0, 0, -1)).message).toBe(
      'random: count must be a whole number from 0 to 17179869184, found -1',
    )
  })
})

describe('Generator', () => {
  test('goes on from a saved position as if never interrupted, however the draws are cut', () => {
    const straight = new Generator(77).uniform(140_000)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 20 }), fc.nat(), (counts, resume) => {
        let generator = new Generator(77)
        const drawn: number[] = []
        for (const [i, count] of counts.entries()) {
          if (i === resume % 20) generator = new Generator(77, generator.position)
          drawn.push(...generator.uniform(count))
        }
        expect(generator.position).toBe(BigInt(drawn.length))
        expect(drawn).toEqual(Array.from(straight.subarray(0, drawn.length)))
      }),
      { seed: 2, numRuns: 40 },
    )
    const generator = new Generator(77)
    generator.position = 70_001n
    expect(generator.uniform(69_999)).toEqual(straight.subarray(70_001))
    generator.position = 3n
    expect(generator.uniform(5)).toEqual(straight.subarray(3, 8))
  })

  test('what it has handed out stays as it is', () => {
    const generator = new Generator(1)
    const first = generator.uniform(10)
    const copy = Array.from(first)
    generator.uniform(1000)
    expect(Array.from(first)).toEqual(copy)
  })

  test('positions beyond 2^66 words continue the 128-bit counter', () => {
    const generator = new Generator(4, 2n ** 66n - 4n)
    const across = generator.uniform(8)
    expect(generator.position).toBe(2n ** 66n + 4n)
    expect(new Generator(4, 2n ** 66n).uniform(4)).toEqual(across.subarray(4))
  })

  test('truncatedNormal: within two deviations, the standard deviation of the restricted distribution', () => {
    const values = new Generator(8).truncatedNormal(300_000)
    expect(values.every((value) => Math.abs(value) <= 2)).toBe(true)
    expect(Math.abs(mean(values))).toBeLessThan(0.005)
    // 1 - 4 phi(2) / erf(sqrt 2)
    expect(Math.abs(moment(values, 2) - 0.7737413)).toBeLessThan(0.005)
    const withinOne = mean(values.map((value) => (Math.abs(value) < 1 ? 1 : 0)))
    expect(Math.abs(withinOne - 0.6826895 / 0.9544997)).toBeLessThan(0.003)
  })

  test('inverseNormal: quantiles of the normal distribution', () => {
    // statistics.NormalDist().inv_cdf of Python 3.11
    const quantiles = [
      [0.5, 0],
      [0.6, 0.2533471031357997],
      [0.925, 1.4395314709384563],
      [0.975, 1.9599639845400536],
      [0.9999, 3.719016485455709],
    ] as const
    for (const [probability, quantile] of quantiles) {
      expect(inverseNormal(probability - 0.5)).toBeCloseTo(quantile, 12)
      expect(inverseNormal(0.5 - probability)).toBeCloseTo(-quantile, 12)
    }
  })

  test('integers: each equally likely, bounds kept', () => {
    const counts = new Uint32Array(7)
    const generator = new Generator(10)
    for (const value of generator.integers(-3, 4, 70_000)) counts[value + 3] = (counts[value + 3] ?? 0) + 1
    expect(chiSquare(counts, 10_000)).toBeLessThan(22.5) // 6 degrees of freedom: beyond it 1 in 1000
    const wide = generator.integers(-(2 ** 31), 2 ** 31, 1000)
    expect(wide.some((value) => value < -(2 ** 30)) && wide.some((value) => value > 2 ** 30)).toBe(true)
    // a quarter of all words is rejected for this range
    const quarters = generator.integers(0, 3 * 2 ** 29, 3000)
    expect(quarters.every((value) => value >= 0 && value < 3 * 2 ** 29)).toBe(true)
    expect(Math.abs(mean(quarters) / (3 * 2 ** 28) - 1)).toBeLessThan(0.05)
    expect(thrown(() => generator.integers(3, 3, 1)).message).toBe(
      'random: high must be a whole number from 4 to 2147483648, found 3',
    )
  })

  test('permutation: every number once, every order equally likely', () => {
    const generator = new Generator(12)
    expect(Array.from(generator.permutation(100_000)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100_000 }, (_, i) => i),
    )
    const seen = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const order = generator.permutation(4).join('')
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect(seen.size).toBe(24)
    expect(chiSquare([...seen.values()], 1000)).toBeLessThan(49.7) // 23 degrees of freedom: beyond it 1 in 1000
    expect(Array.from(generator.permutation(0))).toEqual([])
    expect(Array.from(generator.permutation(1))).toEqual([0])
  })

  test('bernoulli: the share of ones', () => {
    const generator = new Generator(13)
    expect(Math.abs(mean(generator.bernoulli(0.3, 100_000)) - 0.3)).toBeLessThan(0.005)
    expect(mean(generator.bernoulli(0, 1000))).toBe(0)
    expect(mean(generator.bernoulli(1, 1000))).toBe(1)
    expect(thrown(() => generator.bernoulli(1.5, 1)).message).toBe(
      'random: a probability must be from 0 to 1, found 1.5',
    )
  })

  test('refuses a negative position', () => {
    expect(thrown(() => new Generator(0, -1n).uniform(1)).message).toBe(
      'random: a position must not be negative, found -1',
    )
  })
})

test('deriveSeed: every part of the path counts, in its order and its kind', () => {
  const seeds = [
    deriveSeed(1),
    deriveSeed(1, 'a'),
    deriveSeed(1, 'b'),
    deriveSeed(2, 'a'),
    deriveSeed(1, 'a', 'b'),
    deriveSeed(1, 'b', 'a'),
    deriveSeed(1, 1),
    deriveSeed(1, '1'),
  ]
  expect(new Set(seeds).size).toBe(seeds.length)
  expect(deriveSeed(1, 'a', 'b')).toBe(deriveSeed(deriveSeed(1, 'a'), 'b'))
  expect(seeds.every((seed) => seed >= 0n && seed < 2n ** 64n)).toBe(true)
})
