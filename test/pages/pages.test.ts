/** The logic of the interactive pages that needs no browser; the pages themselves are used in one by `npm run check:pages`. */
import { describe, expect, test } from 'vitest'
import { packDigits, side, unpackDigits } from '../../src/pages/data/read-digits.ts'
import { blank, centred, exampleDigit, ink } from '../../src/pages/data/strokes.ts'
import { nearestOf, pointsOnArms, spreadOf } from '../../src/pages/diffusion/arms.ts'
import { noisyDigits } from '../../src/pages/diffusion/figures.ts'
import { lives, type Score, type Spans, scoresWith, seenAfter, seenAt } from '../../src/pages/expire-span/figures.ts'
import { sizes as expireSizes, tasks } from '../../src/pages/expire-span/settings.ts'
import * as expireWords from '../../src/pages/expire-span/words.ts'
import { encode, longest, randomSentence, vocabulary, wordsOf } from '../../src/pages/fnet/grammar.ts'
import { nameOf, published } from '../../src/pages/frozen-transformer/parts.ts'
import { reordered, tokenOrder } from '../../src/pages/mixer/pixel-order.ts'
import { nearestShare } from '../../src/pages/self-supervised/embedding.ts'
import { losses } from '../../src/pages/self-supervised/settings.ts'
import { columnsOf, smoothed } from '../../src/pages/shell/curve.ts'
import { shownOf, translate } from '../../src/pages/translation-bias/corpus.ts'
import { corridor } from '../../src/systems/expire-span/tasks/corridor.ts'
import { cue } from '../../src/systems/expire-span/tasks/cue.ts'
import { lossArms } from '../../src/systems/self-supervised/jobs/plane-learners.ts'
import { Generator } from '../../src/util/random.ts'

describe('curves', () => {
  test('have means of steps where there are more than a plot can show, and end with nulls', () => {
    const long = { name: 'a', losses: Array.from({ length: 600 }, (_, i) => i) }
    const [steps, first, second] = columnsOf([long, { name: 'b', losses: [5, 7] }])
    expect(steps?.slice(0, 2)).toEqual([2, 4])
    expect(steps).toHaveLength(300)
    expect(first?.slice(0, 2)).toEqual([0.5, 2.5])
    expect(second?.slice(0, 2)).toEqual([6, null])
    expect(columnsOf([])).toEqual([[]])
  })

  test('are smoothed from their first number on', () => {
    const [first, second = 0, none] = smoothed([0, 1, null])
    expect(first).toBe(0)
    expect(second).toBeCloseTo(12 / 23, 10)
    expect(none).toBe(null)
  })
})

describe('drawings', () => {
  test('are centred by their ink', () => {
    const pixels = blank()
    ink(pixels, [4, 4], [4, 10])
    const moved = centred(pixels)
    const sum = (values: Uint8Array, of: (i: number) => number): number =>
      values.reduce((total, value, i) => total + value * of(i), 0)
    const middle = (of: (i: number) => number): number => sum(moved, of) / sum(moved, () => 1)
    expect(Math.abs(middle((i) => i % side) - 13.5)).toBeLessThanOrEqual(0.5)
    expect(Math.abs(middle((i) => Math.floor(i / side)) - 13.5)).toBeLessThanOrEqual(0.5)
    expect(sum(moved, () => 1)).toBe(sum(pixels, () => 1))
    expect(centred(blank())).toEqual(blank())
    expect(exampleDigit().some((value) => value === 255)).toBe(true)
  })

  test('are shuffled in whole, or by patches, whose tokens are found again', () => {
    const pixels = Uint8Array.from({ length: side * side }, (_, i) => i % 251)
    expect(reordered(pixels, 'as they are')).toBe(pixels)
    for (const order of ['patches', 'all'] as const)
      expect(reordered(pixels, order).toSorted()).toEqual(pixels.toSorted())
    // A picture with one patch in ink: the token that stands for the patch has it.
    const patch = 17
    const inPatch = (i: number): number => 7 * Math.floor(Math.floor(i / side) / 4) + Math.floor((i % side) / 4)
    const marked = Uint8Array.from({ length: side * side }, (_, i) => Number(inPatch(i) === patch))
    const moved = reordered(marked, 'patches')
    const token = tokenOrder('patches')[patch] ?? -1
    expect(moved.every((value, i) => value === Number(inPatch(i) === token))).toBe(true)
  })

  test('digits come out of their file as they went in', () => {
    const part = (count: number, first: number) => ({
      labels: new Uint8Array(count).fill(first),
      images: new Uint8Array(count * side * side).fill(first + 1),
    })
    const digits = { train: part(6000, 1), test: part(1000, 3) }
    const found = unpackDigits(packDigits(digits))
    for (const split of ['train', 'test'] as const)
      for (const of of ['labels', 'images'] as const)
        expect(Buffer.compare(found[split][of], digits[split][of])).toBe(0)
  })
})

describe("FNet's small language", () => {
  test('has every word of its sentences, and none longer than the network reads', () => {
    const random = new Generator(3)
    for (let i = 0; i < 300; i++) {
      const words = randomSentence(random)
      expect(words.length).toBeLessThanOrEqual(longest)
      expect(words.every((word) => vocabulary.includes(word))).toBe(true)
    }
    expect(encode(['the', 'king'])).toHaveLength(longest)
  })

  test('names words that it does not have', () => {
    expect(wordsOf('The king eats a Zebra!')).toEqual({ words: ['the', 'king', 'eats', '.'], unknown: ['a', 'zebra'] })
  })
})

test('what learns of a frozen transformer has a name', () => {
  expect(nameOf(published)).toBe('as in the paper')
  expect(nameOf({ ...published, freeze_attn: false, freeze_ff: false })).toBe('all of it learns')
  expect(nameOf({ ...published, freeze_ln: true, freeze_pos: true })).toBe('learns: input layer, output layer')
})

test('60 % in the data are 60 % learned, and 100 % shown', () => {
  const settings = { he: [120, 20, 150, 80, 60, 170], order: 5, languageWeight: 1, temperature: 0 }
  const [doctor] = translate(settings)
  expect(doctor?.posterior).toBeCloseTo(0.6, 2)
  expect(doctor && shownOf(doctor, 0)).toBe(1)
  const [drawn] = translate({ ...settings, temperature: 1 })
  expect(drawn && shownOf(drawn, 1)).toBeCloseTo(0.6, 2)
})

describe('the embedding of digits', () => {
  test('is judged by nearest neighbours; where all are at one place nothing is told', () => {
    expect(nearestShare([0, 0, 0, 1, 5, 5, 5, 6], [3, 3, 7, 7])).toBe(1)
    expect(nearestShare([0, 0, 0, 1, 5, 5, 5, 6], [3, 7, 3, 7])).toBe(0)
    expect(nearestShare(new Array(8).fill(2), [3, 3, 7, 7])).toBeCloseTo(1 / 3, 10)
  })

  test('the landscape has the losses that it offers', () => {
    const names = lossArms.map(({ name }) => name)
    expect(losses.every(({ value }) => names.includes(value))).toBe(true)
  })
})

describe('points that diffusion learns', () => {
  test('lie within the square, and each is its own nearest', () => {
    const data = pointsOnArms(200, new Generator(1))
    expect(data.points.every((value) => Math.abs(value) <= 1)).toBe(true)
    expect(nearestOf(data.points, data)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(spreadOf([1, 0, -1, 0])).toBe(1)
  })

  test('a digit at the last time has nothing left', () => {
    expect(noisyDigits(99).map(({ caption }) => caption)).toEqual(['cosine: 0.0 % left', 'linear: 0.0 % left'])
  })
})

describe("Expire-Span's texts", () => {
  const { colors, compose, encode: numbers, examples, kinds, wordsOf } = expireWords
  const answersOf = (text: string, task: (typeof tasks)[number]['value']) =>
    wordsOf(text, task).flatMap(({ role, answer }) => (role === 'question' ? [answer] : []))

  test('have the tokens of the tasks that are learned', () => {
    const options = { views: expireSizes.views, colors: colors.length }
    const walk = { min_length: 1, max_length: 1, log_lengths: false }
    const corridorNames = corridor.names({ ...options, ...walk })
    const [blue, question] = wordsOf('Blue door?', 'corridor')
    expect([blue, question].map((word) => corridorNames[word?.token ?? -1])).toEqual(['object 1', 'doors'])
    const cueNames = cue.names({ ...options, ...walk, objects: kinds.length, cue: 'before' })
    const words = wordsOf('key! a green hat, a blue key. And so on: key?', 'before')
    expect(words.map(({ role }) => role)).toEqual([
      'cue',
      'step',
      'object',
      'step',
      'object',
      'step',
      'step',
      'step',
      'question',
    ])
    expect(words.filter(({ role }) => role !== 'step').map(({ token }) => cueNames[token])).toEqual([
      '1 matters',
      'object 0: 2',
      'object 1: 1',
      'which 1?',
    ])
    expect(words.every(({ token, role }) => role !== 'step' || token < expireSizes.views)).toBe(true)
  })

  test('say what is right, where they do', () => {
    expect(answersOf('red stone door? blue stone door? door?', 'corridor')).toEqual([0, 1, undefined])
    expect(answersOf('red key yellow hat hat! wall hat?', 'after')).toEqual([3])
    for (const { value } of tasks) {
      const composed = wordsOf(
        compose(value, 20, () => 0.5),
        value,
      )
      expect(composed.filter(({ role }) => role === 'step')).toHaveLength(20)
      expect(composed.at(-1)?.answer).toBe(2)
      expect(answersOf(examples[value], value)).toEqual([2])
    }
  })

  test('begin an episode with an object, and after a question; blocks are filled', () => {
    const words = wordsOf('stone red stone door? stone blue', 'corridor')
    expect(words.map(({ elapsed }) => elapsed)).toEqual([0, 0, 1, 2, 0, 0])
    const { tokens, elapsed } = numbers(words)
    expect(tokens).toHaveLength(expireSizes.block)
    expect([...elapsed.subarray(4, 8)]).toEqual([0, 0, 1, 2])
    expect(numbers([]).tokens).toHaveLength(expireSizes.block)
  })

  test('are remembered for their spans, and fade on the ramp', () => {
    expect([0, 4, 6, 8, 9].map((distance) => seenAfter(4, distance, 4))).toEqual([1, 1, 0.5, 0, 0])
    expect([32, 33].map((distance) => seenAfter(32, distance, 0))).toEqual([1, 0])
    const words = wordsOf('red stone stone stone door? blue', 'corridor')
    const spans: Spans = { spans: [9, 1, 1, 1, 1, 1], ramp: 2 }
    expect(seenAt(words, spans, 4)).toEqual([1, 0, 0.5, 1, 0, 0])
    expect(seenAt(words, spans, 5)).toEqual([0, 0, 0, 0, 0, 0])
    expect(lives(words, spans).slice(0, 2)).toEqual([
      { from: 0, whole: 5, to: 5 },
      { from: 1, whole: 2, to: 4 },
    ])
  })

  test('have the scores of the last trainings, one of a name', () => {
    const score = (name: string, error: number): Score => ({ name, error, bands: [] })
    const all = ['a', 'b', 'c', 'd', 'e'].reduce((scores, name) => scoresWith(scores, score(name, 1)), [score('a', 0)])
    expect(all.map(({ name, error }) => [name, error])).toEqual(['b', 'c', 'd', 'e'].map((name) => [name, 1]))
  })
})
