import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTokenizer, TextTokenizer, type TokenizerKind, trainTokenizer } from '../../../src/data/index.ts'
import { told, withFolder } from '../support.ts'
import reference from './reference.json' with { type: 'json' }

const kinds = Object.keys(reference.kinds) as TokenizerKind[]

describe('our files give the same ids as the Python library `tokenizers`', () => {
  test.each(kinds)('%s', (kind) => {
    const { tokenizer, ids } = reference.kinds[kind]
    const words = new TextTokenizer(tokenizer)
    expect(reference.texts.map((text) => words.encode(text))).toEqual(ids)
  })
})

const text = 'the whale and the whaler: whales, whaling, and 12 wheels. the sea, the seas; a seaman sees the sea at sea'

describe.each(['wordpiece', 'bpe', 'unigram'] as const)('%s', (kind) => {
  const trained = trainTokenizer([text, text], { kind, size: 80 })

  test('has the special tokens first, and no more tokens than asked for', () => {
    expect(trained.specialIds()).toEqual({ unk: 0, pad: 3, cls: 4, sep: 5, mask: 6 })
    expect(trained.size).toBeLessThanOrEqual(80)
    expect(trained.size).toBeGreaterThan(40)
  })

  test('makes frequent words one token', () => {
    expect(trained.encode('the sea')).toHaveLength(2)
  })

  test('recognises special tokens in a text and leaves them out of decoded text', () => {
    const ids = trained.encode('the [MASK], sea')
    expect(ids).toContain(trained.specialIds().mask)
    expect(trained.decode(ids)).not.toContain('MASK')
    expect(trained.decode(ids, { special: true })).toContain('[MASK]')
  })

  test('writes unknown characters as <unk>', () => {
    expect(trained.encode('☃')).toContain(0)
  })

  test('is learned the same way whatever the order of the texts', () => {
    const parts = text.split(/(?<= )/)
    const [forth, back] = [parts, parts.toReversed()].map((order) => trainTokenizer(order, { kind, size: 70 }).file)
    expect(forth).toEqual(back)
  })

  test('gives back any text of words it can spell', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'thewalsn'), minLength: 1, maxLength: 12 })
    const property = fc.property(fc.array(letters, { minLength: 1, maxLength: 6 }), (words) => {
      const sentence = words.join(' ')
      const ids = trained.encode(sentence)
      // WordPiece has no way to write a word whose letters it has not met in such a place.
      const spelled = kind !== 'wordpiece' || !ids.includes(0)
      return !spelled || (ids.every((id) => id > 6 && id < trained.size) && trained.decode(ids) === sentence)
    })
    fc.assert(property, { seed: 7, numRuns: 50 })
  })
})

test('capital letters and accents stay if asked for', () => {
  const cased = trainTokenizer(['Ein Bär. Ein Bär. Bär'], { size: 40, lowercase: false })
  expect(cased.decode(cased.encode('Ein Bär'))).toBe('Ein Bär')
})

test('a vocabulary needs text, and room for its characters', async () => {
  expect(await told(() => trainTokenizer([], { size: 100 }))).toMatchInlineSnapshot(
    `"UsageError: a tokenizer needs text to be trained on, found none"`,
  )
  expect(await told(() => trainTokenizer([text], { size: 10 }))).toMatchInlineSnapshot(
    `"UsageError: a vocabulary of 10 tokens has no room for the 39 that the text needs at least | take a larger size, or a smaller alphabet"`,
  )
  expect(await told(() => trainTokenizer([text], { kind: 'unigram', size: 10 }))).toMatchInlineSnapshot(
    `"UsageError: a vocabulary of 10 tokens has no room for the 27 that the text needs at least | take a larger size, or a smaller alphabet"`,
  )
})

// Each as JavaScript or a file may have it.
const untyped = trainTokenizer as (texts: unknown, options: unknown) => TextTokenizer

test.each([
  [[text], undefined, 'size must be a whole number of at least 8, found undefined'],
  [[text], { size: Number.NaN }, 'size must be a whole number of at least 8, found NaN'],
  [[text], { size: 80.5 }, 'size must be a whole number of at least 8, found 80.5'],
  [[text], { size: 80, kind: 'foo' }, 'kind must be wordpiece, bpe or unigram, found "foo"'],
  [[text], { size: 80, lowerCase: false }, 'there is no option "lowerCase" | did you mean "lowercase"?'],
  [[text], { size: 80, lowercase: 'no' }, 'lowercase must be true or false, found "no"'],
  [[text], { size: 80, alphabet: -1 }, 'alphabet must be a whole number of at least 1, found -1'],
  [
    text.slice(0, 3),
    { size: 80 },
    'texts must be a list of strings, found "the" | a single text goes into brackets: [text]',
  ],
  [5, { size: 80 }, 'texts must be a list of strings, found 5'],
  [['a', 5], { size: 80 }, 'text 1 must be a string, found 5'],
])('training from %j with %j is refused', async (texts, options, reason) => {
  expect(await told(() => untyped(texts, options))).toBe(`UsageError: trainTokenizer: ${reason}`)
})

test('unknown words are <unk>, or an error where there is none', async () => {
  const model = { type: 'WordLevel', vocab: { a: 0, '?': 1 } }
  const file = { model: { ...model, unk_token: '?' }, pre_tokenizer: { type: 'WhitespaceSplit' } }
  const words = new TextTokenizer(file)
  expect(words.encode('a b')).toEqual([0, 1])
  expect(words.unknownShare([words.encode('a b')])).toBe(0.5)
  expect(await told(() => new TextTokenizer({ model }).encode('b'))).toMatchInlineSnapshot(
    `"FormatError: "b" is not in the vocabulary, which has no token for unknown words either"`,
  )
})

test('only texts are encoded, and only ids of the vocabulary decoded', async () => {
  const words = trainTokenizer([text], { size: 60 })
  const encode = words.encode.bind(words) as (text: unknown) => number[]
  const decode = words.decode.bind(words) as (ids: unknown) => string
  const found = [
    ...[5, undefined].map((value) => told(() => encode(value))),
    ...[[words.size], [-1], [1.5], [Number.NaN], 5].map((value) => told(() => decode(value))),
  ]
  expect((await Promise.all(found)).join('\n')).toMatchInlineSnapshot(`
    "UsageError: encode: text must be a string, found 5
    UsageError: encode: text must be a string, found undefined
    UsageError: token ids must be whole and below 49, found 49
    UsageError: token ids must be whole and below 49, found -1
    UsageError: token ids must be whole and below 49, found 1.5
    UsageError: token ids must be whole and below 49, found NaN
    UsageError: decode: ids must be a list of whole numbers, found 5"
  `)
  expect(words.decode([])).toBe('')
})

test('files that are no tokenizer are refused', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'tokenizer.json')
    const read = async (content: string): Promise<string> => {
      await writeFile(path, content)
      return (await told(() => readTokenizer(path))).replaceAll(folder, 'DIR')
    }
    expect(await read('{')).toMatchInlineSnapshot(
      `"FormatError: DIR/tokenizer.json: must be JSON in the tokenizer.json format"`,
    )
    expect(await read('{}')).toMatchInlineSnapshot(
      `"FormatError: DIR/tokenizer.json: must be in the tokenizer.json format: model Invalid input: expected object, received undefined"`,
    )
    expect(await read('{"model":{"type":"Nonsense"}}')).toMatchInlineSnapshot(
      `"FormatError: DIR/tokenizer.json: must be a tokenizer that can be used here: there is no model of type "Nonsense""`,
    )
  }))

test('a model of text needs special tokens', async () => {
  const bare = new TextTokenizer({
    model: { type: 'WordPiece', unk_token: 'a', continuing_subword_prefix: '##', vocab: { a: 0 } },
  })
  expect(await told(() => bare.specialIds())).toMatchInlineSnapshot(
    `"FormatError: the tokenizer must have a token <unk> or [UNK]"`,
  )
  expect(await told(() => bare.token(9))).toMatchInlineSnapshot(
    `"UsageError: token ids must be whole and below 1, found 9"`,
  )
})
