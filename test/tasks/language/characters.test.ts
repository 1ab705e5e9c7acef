import { expect, test } from 'vitest'
import { alphabetOf, unknownCharacters } from '../../../src/tasks/language/characters.ts'

test('the characters that a model does not know', () => {
  const facts = alphabetOf('a text')
  expect(unknownCharacters('', facts)).toBeUndefined()
  expect(unknownCharacters('taxe at', facts)).toBeUndefined()
  expect(unknownCharacters('äa☃ä', facts)).toBe('3 of 4 characters are unknown to the model: ä, ☃')
  expect(unknownCharacters('123456', facts)).toBe('6 of 6 characters are unknown to the model: 1, 2, 3, 4, 5, ...')
})
