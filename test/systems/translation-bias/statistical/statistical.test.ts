import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fastAlign, parsePair } from '../../../../src/systems/translation-bias/statistical/alignment.ts'
import { separateCauses } from '../../../../src/systems/translation-bias/statistical/causes.ts'
import { ChannelTranslator } from '../../../../src/systems/translation-bias/statistical/channel.ts'
import {
  bigramLanguageModel,
  decode,
  PhraseTable,
} from '../../../../src/systems/translation-bias/statistical/decoder.ts'
import {
  bestLinks,
  nullWord,
  type SentencePair,
  trainModel1,
  trainModel2,
} from '../../../../src/systems/translation-bias/statistical/ibm.ts'
import { NgramModel, type Smoothing } from '../../../../src/systems/translation-bias/statistical/ngram.ts'

const words = (text: string): string[] => text.split(' ')
const word = (letter: string) => fc.integer({ min: 0, max: 4 }).map((i) => `${letter}${i}`)
const sentence = (letter: string) => fc.array(word(letter), { minLength: 1, maxLength: 6 })
const pairs = fc.array(fc.tuple(sentence('e'), sentence('f')), { minLength: 1, maxLength: 8 })

describe('fast_align', () => {
  test('aligns each target token to at most one source token, and likelihood rises', () => {
    fc.assert(
      fc.property(pairs, (given) => {
        const { links, logLikelihood } = fastAlign(given, { variationalBayes: false, optimizeTension: false })
        for (const [i, found] of links.entries()) {
          const targets = found.map(([, target]) => target)
          expect(new Set(targets).size).toBe(targets.length)
          for (const [source, target] of found) {
            expect(source).toBeLessThan(given[i]?.[0].length ?? 0)
            expect(target).toBeLessThan(given[i]?.[1].length ?? 0)
          }
        }
        // Expectation maximisation never loses: the first iteration's table is not normalised, so it does not count.
        for (let i = 2; i < logLikelihood.length; i++)
          expect(logLikelihood[i]).toBeGreaterThanOrEqual((logLikelihood[i - 1] ?? 0) - 1e-9)
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  test('in reverse prints the links in the given order of languages', () => {
    const given = ['the house ||| das haus', 'the book ||| das buch', 'a book ||| ein buch'].map((line) =>
      parsePair(line),
    )
    const both = ['0-0 1-1', '0-0 1-1', '0-0 1-1']
    const printed = (reverse: boolean): string[] =>
      fastAlign(given, { reverse }).links.map((found) => found.map((link) => link.join('-')).join(' '))
    expect([printed(false), printed(true)]).toEqual([both, both])
  })

  test('without NULL every target token has a source', () => {
    const { links } = fastAlign([parsePair('a b ||| x y z')], { useNull: false })
    expect(links[0]).toHaveLength(3)
  })

  test.each(['a b', '||| b', 'a |||'])('a line that is no pair is refused: %s', (line) => {
    expect(() => parsePair(line, 3)).toThrow(
      `line 3 must be "source ||| target" with words on both sides, found "${line}"`,
    )
  })
})

describe('IBM models', () => {
  test.each([trainModel1, trainModel2])('translation probabilities of a word add up to 1 (%o)', (train) => {
    fc.assert(
      fc.property(pairs, (given) => {
        const corpus = given.map(([e, f]): SentencePair => ({ f, e }))
        const { t } = train(corpus, { iterations: 3 })
        const sums = new Map<string, number>()
        for (const [, e, p] of t.entries()) sums.set(e, (sums.get(e) ?? 0) + p)
        for (const sum of sums.values()) expect(sum).toBeCloseTo(1, 9)
      }),
      { seed: 2, numRuns: 30 },
    )
  })

  test('of words that explain as much the last one is linked, as in NLTK', () => {
    const corpus = [
      ['w v', 'b c c e c'],
      ['v w x x', 'b'],
      ['v w u u', 'e'],
      ['w', 'a e'],
      ['w x w', 'c a a d f'],
      ['w w x w', 'd a f d d'],
    ].map(([f = '', e = '']): SentencePair => ({ f: words(f), e: words(e) }))
    const model = trainModel1(corpus, { iterations: 1, floor: 1e-12, poolRepeats: true })
    // What NLTK 3.10.4 gives.
    expect(corpus.map((pair) => bestLinks(model, pair, 1e-12).map((link) => link ?? null))).toEqual([
      [4, 4],
      [0, null, 0, 0],
      [0, 0, 0, 0],
      [0],
      [2, 4, 2],
      [1, 1, 2, 1],
    ])
  })

  test('a pair that counts twice is a pair that is there twice', () => {
    const pair = { f: ['a', 'b'], e: ['x', 'y'] }
    const other = { f: ['a'], e: ['x'] }
    const once = trainModel1([{ ...pair, count: 2 }, other], { iterations: 4 })
    const twice = trainModel1([pair, pair, other], { iterations: 4 })
    for (const e of [nullWord, 'x', 'y']) expect(once.t.get('b', e)).toBeCloseTo(twice.t.get('b', e), 12)
  })
})

test('Model 1 before its first step: words that met have the uniform start', () => {
  const { t } = trainModel1([{ f: ['ház', 'kicsi'], e: ['house'] }], { iterations: 0 })
  const told = [...t.entries()]
  expect(told).toEqual([
    ['ház', '<NULL>', 0.5],
    ['ház', 'house', 0.5],
    ['kicsi', '<NULL>', 0.5],
    ['kicsi', 'house', 0.5],
  ])
})

describe('language models', () => {
  const smoothings: Smoothing[] = [
    { kind: 'lidstone', gamma: 0.1 },
    { kind: 'mle' },
    { kind: 'witten-bell' },
    { kind: 'absolute-discounting', discount: 0.75 },
    { kind: 'kneser-ney', discount: 0.1 },
  ]
  test.each(smoothings)('probabilities after a known context add up to 1: $kind', (smoothing) => {
    const model = new NgramModel(2)
    for (const text of ['she is a nurse', 'he is a doctor', 'she is a doctor']) model.add(words(text))
    const sum = model.vocabulary.reduce((total, each) => total + model.score(each, ['a'], smoothing), 0)
    expect(sum).toBeCloseTo(1, 9)
  })

  test('order must be a positive whole number', () => {
    expect(() => new NgramModel(0)).toThrow('NgramModel: order must be a whole number of at least 1, found 0')
  })
})

describe('stack decoder', () => {
  const table = new PhraseTable()
  table.add(['ő'], ['he'], 0.6)
  table.add(['ő'], ['she'], 0.4)
  table.add(['orvos'], ['doctor'], 1)
  const model = bigramLanguageModel(new Map([['she doctor', 0.9]]), 0.1)

  test('the language model decides', () => {
    expect(decode(words('ő orvos'), table, model)).toEqual(['she', 'doctor'])
  })

  test('a word without translation: nothing', () => {
    expect(decode(words('ő pék'), table, model)).toBeUndefined()
  })

  test('settings out of range', () => {
    expect(() => decode(['ő'], table, model, { beamThreshold: 2 })).toThrow(
      'decode: beamThreshold must be from 0 to 1, found 2',
    )
  })
})

describe('the three causes', () => {
  // As often he as she in all, and not with each occupation.
  const corpus = [
    { occupation: 'doctor', foreign: 'orvos', he: 120, she: 80 },
    { occupation: 'nurse', foreign: 'ápoló', he: 20, she: 180 },
    { occupation: 'politician', foreign: 'politikus', he: 150, she: 50 },
    { occupation: 'teacher', foreign: 'tanár', he: 80, she: 120 },
    { occupation: 'cleaner', foreign: 'takarító', he: 60, she: 140 },
    { occupation: 'professor', foreign: 'professzor', he: 170, she: 30 },
  ]
  const common = { addK: 0.01, iterations: 8 }

  test('data: a model that sees whole sentences follows the data', () => {
    for (const { data, posterior } of separateCauses(corpus, { ...common, order: 5 }).shares)
      expect(posterior).toBeCloseTo(data, 2)
  })

  test('learning: a model that sees two words has one share for all', () => {
    const { shares, summary } = separateCauses(corpus, { ...common, order: 2 })
    for (const { posterior } of shares) expect(posterior).toBeCloseTo(summary.corpusShare, 1)
  })

  test('learning: a weight of 2 sharpens as q^2 / (q^2 + (1 - q)^2)', () => {
    const [doctor] = separateCauses(corpus, { ...common, order: 5, languageWeight: 2 }).shares
    expect(doctor?.posterior).toBeCloseTo(0.36 / (0.36 + 0.16), 2)
  })

  test('output: the most probable one is all that is shown', () => {
    const { shares, summary } = separateCauses(corpus, { ...common, order: 5 })
    expect(shares.map(({ argmax }) => argmax)).toEqual([1, 0, 1, 0, 0, 1])
    expect(summary.amplification.argmax).toBeCloseTo((0.4 + 0.1 + 0.25 + 0.4 + 0.3 + 0.15) / 6, 12)
  })

  test('bad corpora and words', () => {
    const options = { ...common, order: 2 }
    expect(() => new ChannelTranslator([], options)).toThrow('the corpus must have an occupation, found none')
    expect(() => new ChannelTranslator([{ occupation: 'baker', foreign: 'pék', he: 0, she: 0 }], options)).toThrow(
      'baker must occur in the corpus, found 0 times "he" and 0 times "she"',
    )
    expect(() => new ChannelTranslator(corpus, options).candidates('pék')).toThrow('the corpus has no word "pék"')
  })
})
