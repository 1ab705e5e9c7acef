import { expect, test } from 'vitest'
import {
  type LogitsProcessor,
  minNewTokens,
  minP,
  noRepeatNgrams,
  repetitionPenalty,
  suppressTokens,
  temperature,
  topK,
  topP,
} from '../../../src/models/index.ts'
import { sizes } from '../../../src/tensor/shape.ts'
import { Generator } from '../../../src/util/random.ts'
import { readReference } from '../reference.ts'

const reference = readReference('gpt2-generation')
const never = Number.NEGATIVE_INFINITY

/** Scores of the reference after the processors, of each row. */
function processed(processors: readonly LogitsProcessor[]): number[] {
  const [scores, tokens] = [reference.tensor('scores'), reference.tensor('tokens')]
  const [rows, classes] = sizes(scores.shape, 2)
  const [, length] = sizes(tokens.shape, 2)
  return Array.from({ length: rows }, (_, row) => {
    const own = (scores.data as Float32Array).slice(row * classes, (row + 1) * classes)
    const read = Array.from(tokens.data.slice(row * length, (row + 1) * length), Number)
    for (const process of processors) process(own, read, 0)
    return Array.from(own)
  }).flat()
}

test.each<[string, LogitsProcessor[]]>([
  ['temperature', [temperature(0.7)]],
  ['topK', [topK(5)]],
  ['topP', [topP(0.8)]],
  ['topP-least', [topP(0.01, 3)]],
  ['minP', [minP(0.1)]],
  ['minP-least', [minP(1, 3)]],
  ['repetitionPenalty', [repetitionPenalty(1.3)]],
  ['noRepeatNgrams', [noRepeatNgrams(1)]],
  ['all', [repetitionPenalty(1.3), temperature(1.8), topK(12), topP(0.9), minP(0.15)]],
])("%s does what transformers' processors do", (name, processors) => {
  const found = processed(processors)
  const expected = Array.from(reference.tensor(name).data, Number)
  expect(found.map((score) => score === never)).toEqual(expected.map((score) => score === never))
  for (const [i, score] of found.entries()) if (score !== never) expect(score).toBeCloseTo(expected[i] ?? 0, 5)
})

/** What a processor makes of scores, after tokens. */
function after(
  process: LogitsProcessor,
  scores: readonly number[],
  tokens: readonly number[] = [],
  prompt = 0,
): number[] {
  const own = Float32Array.from(scores)
  process(own, tokens, prompt)
  return Array.from(own)
}

test('the rules, token by token', () => {
  expect(after(repetitionPenalty(2), [2, -2, 4], [0, 1, 0])).toEqual([1, -4, 4])
  expect(after(noRepeatNgrams(2), [1, 1, 1], [0, 2, 1, 0])).toEqual([1, 1, never])
  expect(after(noRepeatNgrams(3), [1, 1, 1], [0, 1])).toEqual([1, 1, 1])
  expect(after(suppressTokens([1]), [1, 2])).toEqual([1, never])
  expect(after(minNewTokens(2, [0]), [1, 2], [5, 6, 7], 2)).toEqual([never, 2])
  expect(after(minNewTokens(2, [0]), [1, 2], [5, 6, 7, 8], 2)).toEqual([1, 2])
  // What equals the last of the k stays.
  expect(after(topK(1), [1, 3, 3])).toEqual([never, 3, 3])
  expect(after(topK(9), [1, 3])).toEqual([1, 3])
  // Probabilities 0.5, 0.3, 0.2: the token that crosses stays.
  const logs = [0.5, 0.3, 0.2].map(Math.log).map(Math.fround)
  expect(after(topP(0.5), logs)).toEqual([logs[0], never, never])
  expect(after(topP(0.51), logs)).toEqual([logs[0], logs[1], never])
  expect(after(topP(0), logs)).toEqual([logs[0], never, never])
  expect(after(topP(0.5), [0, 0, 0, 0])).toEqual([never, never, 0, 0])
  expect(after(minP(0.5), logs)).toEqual([logs[0], logs[1], never])
  // Tokens that were ruled out before stay so.
  expect(after(topP(0.99), [1, never, 1])).toEqual([1, never, 1])
  expect(after(topK(2), [never, never, 1])).toEqual([never, never, 1])
})

test('among many scores the highest are found without sorting all', () => {
  const generator = new Generator(3)
  for (const spread of [1e-3, 1, 30]) {
    const scores = generator.normal(20_000).map((value) => value * spread)
    const sorted = Array.from(scores).sort((a, b) => b - a)
    const kept = after(topK(50), Array.from(scores)).filter((score) => score !== never)
    expect(kept.sort((a, b) => b - a)).toEqual(sorted.slice(0, 50))
    const total = sorted.reduce((sum, score) => sum + Math.exp(score), 0)
    let [mass, count] = [0, 0]
    while (mass < 0.7 * total) mass += Math.exp(sorted[count++] ?? 0)
    expect(after(topP(0.7), Array.from(scores)).filter((score) => score !== never)).toHaveLength(count)
  }
})

test('processors say which numbers they take', () => {
  expect(() => topK(0)).toThrow('topK: k must be a whole number of at least 1, found 0')
  expect(() => noRepeatNgrams(0)).toThrow('noRepeatNgrams: size must be a whole number of at least 1, found 0')
  expect(() => temperature(0)).toThrow('temperature: value must be')
  expect(() => repetitionPenalty(0)).toThrow('repetitionPenalty: penalty must be')
  expect(() => topP(1.5)).toThrow('topP: mass must be')
  expect(() => minP(-1)).toThrow('minP: share must be')
})
