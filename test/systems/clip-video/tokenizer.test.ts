import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSafetensors } from '../../../src/io/safetensors.ts'
import { CLIPTokenizer, cleanText, readCLIPVocabulary } from '../../../src/systems/clip-video/clip/tokenizer.ts'

const file = readFileSync(new URL('../../cases/clip-video/clip_tokenizer.safetensors', import.meta.url))
const packed = readSafetensors(file).tensors.get('param/merges_gz')?.data as Uint8Array
const tokenizer = readCLIPVocabulary(packed)

test('the official vocabulary: sizes and special tokens', () => {
  expect([tokenizer.size, tokenizer.startId, tokenizer.endId]).toEqual([49_408, 49_406, 49_407])
  expect(tokenizer.token(0)).toBe('!')
  expect(tokenizer.encode('a diagram')).toEqual([320, 22697])
  expect(() => tokenizer.token(49_408)).toThrow('token ids must be whole and below 49408, found 49408')
})

test('any text comes back as its words', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zà-öø-ÿα-ωа-я ]{0,40}$/), (text) => {
      const words = cleanText(text)
      expect(tokenizer.decode(tokenizer.encode(text)).trim()).toBe(words)
    }),
    { seed: 2 },
  )
})

test('texts that are too long are an error, or are cut', () => {
  const long = 'cat '.repeat(4).trim()
  expect(() => tokenizer.tokenize([long], { contextLength: 5 })).toThrow(
    'tokenize: a text must have at most 5 tokens, found 6 in "cat cat cat cat"',
  )
  const cut = tokenizer.tokenize([long], { contextLength: 5, truncate: true })
  expect([...cut.data].map(Number)).toEqual([49406, 2368, 2368, 2368, 49407])
  expect(() => tokenizer.tokenize([''], { contextLength: 1 })).toThrow(
    'tokenize: contextLength must be a whole number of at least 2, found 1',
  )
})

test('another file is not the vocabulary', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  expect(() => readCLIPVocabulary(bytes('a b\nc d'), 'x.txt')).toThrow(
    'x.txt: must have 48894 lines of two symbols, found 2 lines',
  )
  expect(() => readCLIPVocabulary(bytes('a b\nabc'), 'x.txt')).toThrow(
    'x.txt: must have 48894 lines of two symbols, found "abc" as merge 2',
  )
  expect(() => readCLIPVocabulary(packed.slice(0, 1000), 'x.gz')).toThrow('x.gz: is damaged, it cannot be unpacked')
})

test('merges are made in the order in which they were learned', () => {
  expect(new CLIPTokenizer(['b c</w>', 'a b']).encode('abc').length).toBe(2)
  expect(new CLIPTokenizer(['a b', 'ab c</w>', 'b c</w>']).encode('abc')).toEqual([513])
})

test('the quirks of a pattern that ignores case: the iota below is left out, a long s is an s', () => {
  expect(tokenizer.encode('x\u0345y')).toEqual(tokenizer.encode('x y'))
  expect(tokenizer.encode('a.\u0345.b')).toEqual(tokenizer.encode('a . . b'))
  expect(tokenizer.encode('<|ſtartoftext|> x')).toEqual([27, 91, 129, 123, 2002, 6659, 18169, 91, 285, 343])
})
