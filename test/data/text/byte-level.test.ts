import { expect, test } from 'vitest'
import { trainByteLevel } from '../../../src/data/text/byte-level.ts'
import { UsageError } from '../../../src/util/errors.ts'

test('any text comes back from its byte-level tokens, and frequent words become one', () => {
  const vocabulary = trainByteLevel(['the whale, the whale and the sea '.repeat(20)], 300)
  expect(vocabulary.size).toBeLessThanOrEqual(300)
  for (const text of ['the whale', ' naïve 鯨 🐋\n\n  x', "don't"]) {
    expect(vocabulary.decode(vocabulary.encode(text))).toBe(text)
  }
  expect(vocabulary.encode(' the whale')).toHaveLength(2)
})

test('256 bytes and the end of a text are the least', () => {
  expect(() => trainByteLevel(['a'], 200)).toThrow(
    new UsageError('a byte-level vocabulary has at least 257 tokens, found 200'),
  )
  expect(() => trainByteLevel(['a'], Number.NaN)).toThrow(
    new UsageError('trainByteLevel: size must be a whole number of at least 0, found NaN'),
  )
})

test('texts are a list', () => {
  // @ts-expect-error: a string is as many texts as it has characters
  expect(() => trainByteLevel('whale', 300)).toThrow(
    new UsageError('trainByteLevel: texts must be a list of strings, found "whale"', {
      hint: 'a single text goes into brackets: [text]',
    }),
  )
})
