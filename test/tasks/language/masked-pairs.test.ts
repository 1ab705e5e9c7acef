import { describe, expect, test } from 'vitest'
import { NgramCounts } from '../../../src/tasks/language/baselines.ts'
import { makePairs, maskedPairs } from '../../../src/tasks/language/masked-pairs.ts'
import { masker } from '../../../src/tasks/language/masking.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { Generator } from '../../../src/util/random.ts'

const ids = { unk: 0, bos: 1, eos: 2, pad: 3, cls: 4, sep: 5, mask: 6 }
const masking = { ids, vocabSize: 100, maxPredictions: 40, rate: 0.15, maskShare: 0.8, randomShare: 0.1 }

test('of the hidden tokens about 80 % become [MASK], 10 % another word, 10 % stay', () => {
  const mask = masker(masking)
  const random = new Generator(1)
  const counts = { mask: 0, random: 0, same: 0 }
  for (let i = 0; i < 200; i++) {
    const sequence = [4, ...Array.from({ length: 98 }, (_, k) => 10 + (k % 80)), 5]
    const { inputIds, positions, ids: truth, weights } = mask(sequence, random)
    expect(weights.filter((weight) => weight === 1)).toHaveLength(15)
    for (let p = 0; p < 15; p++) {
      const [position = 0, id] = [positions[p], truth[p]]
      expect(sequence[position]).toBe(id)
      const now = inputIds[position]
      counts[now === 6 ? 'mask' : now === id ? 'same' : 'random']++
    }
  }
  expect(counts.mask / 3000).toBeCloseTo(0.8, 1)
  expect(counts.random / 3000).toBeCloseTo(0.1, 1)
})

describe('sentence pairs with hidden words', () => {
  const documents = [Array.from({ length: 30 }, (_, i) => Array.from({ length: 4 + (i % 5) }, (_, k) => 10 + i + k))]
  const pairs = makePairs(documents, { maxLength: 24, shortShare: 0.3, ids, nextSentence: 'swapped', seed: 3 })
  const dataset = (mode: 'dynamic' | 'fixed') => maskedPairs(pairs, 4, masker({ ...masking, maxPredictions: 4 }), mode)

  test('every sentence of a document is used at most once, in both orders', () => {
    const tokens = pairs.flatMap(({ inputIds }) => inputIds.filter((id) => id > 6)).length
    expect(tokens).toBeLessThanOrEqual(documents.flat(2).length)
    expect(new Set(pairs.map(({ label }) => label))).toEqual(new Set([0, 1]))
  })

  test('hide other words in every epoch, or always the same', async () => {
    const read = async (mode: 'dynamic' | 'fixed', epoch: number): Promise<number[]> => {
      const batch = await dataset(mode).batch([0, 1, 2], { epoch, seed: 9 })
      return toNumbers(batch.input_ids?.data ?? new Int32Array())
    }
    expect(await read('dynamic', 0)).toEqual(await read('dynamic', 0))
    expect(await read('dynamic', 0)).not.toEqual(await read('dynamic', 1))
    expect(await read('fixed', 0)).toEqual(await read('fixed', 1))
  })
})

describe("pairs by BERT's rule", () => {
  /** Document d has the ids 100 d + 10 and up. */
  const stories = [1, 2, 3].map((d) =>
    Array.from({ length: 12 }, (_, i) => Array.from({ length: 5 }, (_, k) => 100 * d + 10 + 5 * i + k)),
  )
  const options = { maxLength: 24, shortShare: 0.3, ids, nextSentence: 'random', seed: 5 } as const
  /** The documents of a pair's two segments. */
  const sources = ({ inputIds, typeIds }: { inputIds: readonly number[]; typeIds: readonly number[] }) =>
    [0, 1].map(
      (type) => new Set(inputIds.filter((id, i) => id > 6 && typeIds[i] === type).map((id) => Math.floor(id / 100))),
    )

  test('the second segment follows the first, or is of another document', () => {
    const pairs = makePairs(stories, options)
    expect(new Set(pairs.map(({ label }) => label))).toEqual(new Set([0, 1]))
    for (const pair of pairs) {
      const [first = new Set(), second = new Set()] = sources(pair)
      expect([first.size, second.size]).toEqual([1, 1])
      expect([...first][0] === [...second][0]).toBe(pair.label === 0)
      expect(pair.inputIds).toHaveLength(24)
      expect(pair.inputIds.filter((id) => id === ids.sep)).toHaveLength(2)
    }
  })

  test('pairs of strangers are as long as true ones', () => {
    const many = Array.from({ length: 60 }, (_, d) =>
      Array.from({ length: 40 }, (_, i) => Array.from({ length: 3 + ((7 * i + d) % 9) }, () => 10 + d)),
    )
    const pairs = makePairs(many, { ...options, maxLength: 64, shortShare: 0 })
    const lengths = [0, 1].map((kind) =>
      pairs.filter(({ label }) => label === kind).map(({ inputIds }) => inputIds.filter((id) => id !== ids.pad).length),
    )
    const [follows = 0, strangers = 0] = lengths.map(
      (list) => list.reduce((sum, length) => sum + length, 0) / list.length,
    )
    expect(Math.abs(follows - strangers)).toBeLessThan(1.5)
  })

  test('of one document alone, it is of another place', () => {
    const [story = []] = stories
    const follows = (pair: { inputIds: readonly number[] }): boolean => {
      const end = pair.inputIds.indexOf(ids.sep)
      return pair.inputIds[end + 1] === (pair.inputIds[end - 1] ?? 0) + 1
    }
    const pairs = makePairs([story], options)
    expect(pairs.length).toBeGreaterThan(2)
    for (const pair of pairs) expect(follows(pair)).toBe(pair.label === 0)
    expect(new Set(pairs.map(({ label }) => label))).toEqual(new Set([0, 1]))
  })
})

test('counting baselines', () => {
  const counts = new NgramCounts([[1, 2, 1, 2, 1, 3]], 5)
  const masked = [
    { left: 1, token: 2 },
    { left: 2, token: 1 },
    { left: 4, token: 3 },
  ]
  expect(counts.unigram(masked).accuracy).toBeCloseTo(1 / 3)
  expect(counts.bigram(masked).accuracy).toBeCloseTo(2 / 3)
  // P(2) = 3/11, P(1) = 4/11, P(3) = 2/11; after 1: 2 twice, 3 once; after 2: 1 twice; 4 was never followed.
  const bigram = [(3 / 5) * (2 / 3) + (2 / 5) * (3 / 11), 2 / 3 + (1 / 3) * (4 / 11), 2 / 11]
  const loss = -bigram.reduce((sum, p) => sum + Math.log(p), 0) / 3
  expect(counts.bigram(masked).loss).toBeCloseTo(loss, 12)
})
