/** Vocabularies of texts that are not written in words of Latin letters. */
import { describe, expect, test } from 'vitest'
import { trainTokenizer } from '../../../src/data/text/train-tokenizer.ts'
import { describeUnknown } from '../../../src/data/text/unknown.ts'
import { randomNumbers } from '../../support/gradients.ts'

/** Sentences of the given words, frequent ones first, as languages have them. */
function sentences(words: readonly string[], between: string, end: string): string[] {
  const random = randomNumbers(3)
  return Array.from(
    { length: 300 },
    () =>
      `${Array.from({ length: 8 }, () => words[Math.floor(words.length * random() ** 2)] ?? '').join(between)}${end}`,
  )
}

/** 600 words of one to three letters from a range. */
function wordsOf(first: number, letters: number): string[] {
  const random = randomNumbers(5)
  const letter = () => String.fromCodePoint(first + Math.floor(letters * random()))
  return Array.from({ length: 600 }, (_, i) => Array.from({ length: 1 + (i % 3) }, letter).join(''))
}

const chinese = sentences(wordsOf(0x4e00, 500), '', '。')
const japanese = sentences([...wordsOf(0x4e00, 200), ...wordsOf(0x3041, 80)], '', '。')
const korean = sentences(wordsOf(0xac00, 400), ' ', '.')
const thai = sentences(wordsOf(0x0e01, 40), '', '')

describe.each([
  ['Chinese', chinese],
  ['Japanese', japanese],
  ['Korean', korean],
  ['Thai', thai],
])('%s', (_, texts) => {
  test.each(['wordpiece', 'unigram', 'bpe'] as const)('%s knows what it has seen', (kind) => {
    const tokenizer = trainTokenizer(texts, { kind, size: 3000 })
    expect(tokenizer.unknownShare(texts.map((text) => tokenizer.encode(text)))).toBeLessThan(0.02)
  })
})

test('Chinese characters are words of their own for WordPiece, as for BERT', () => {
  const tokenizer = trainTokenizer(chinese, { size: 3000 })
  const [first = ''] = chinese
  expect(tokenizer.encode(first).map((id) => tokenizer.token(id))).toEqual([...first])
  expect(tokenizer.encode([...first].join(' '))).toEqual(tokenizer.encode(first))
})

test('lower case: accents go, marks that are letters stay, Korean is written in letters', () => {
  const tokenizer = trainTokenizer(['Él がぎ ไทยดี 한국'], { kind: 'unigram', size: 100 })
  expect(tokenizer.parts('Él がぎ ไทยดี')).toEqual(['▁el', `▁${'がぎ'.normalize('NFD')}`, '▁ไทยดี'])
  expect(tokenizer.decode(tokenizer.encode('한국')).normalize('NFC')).toBe('한국')
})

test('the alphabet grows with the text while a quarter of the vocabulary is left', () => {
  const small = trainTokenizer(chinese, { size: 400 })
  expect(small.size).toBeLessThanOrEqual(400)
  expect(small.unknownShare(chinese.map((text) => small.encode(text)))).toBeGreaterThan(0.02)
})

test('much that is unknown is warned about', () => {
  expect(describeUnknown(0.0123, 'do this')).toEqual({ part: '1.23 % of the tokens are <unk>', warnings: [] })
  expect(describeUnknown(0.34, 'do this').warnings).toEqual([
    '34 % of the tokens are <unk>, which a model cannot tell apart: do this',
  ])
})
