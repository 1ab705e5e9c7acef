import { expect, test } from 'vitest'
import { characterKinds, kindTable } from '../../../src/systems/expire-span/kinds.ts'

test('names, rare words, ends of words, spaces', () => {
  const text = 'So it was Ahab, it was.\nIt 7'
  const kinds = characterKinds([...text])
  const of = (word: string) => kinds.slice(text.indexOf(word), text.indexOf(word) + word.length)
  expect(of('Ahab')).toEqual(['name', 'name', 'name', 'name'])
  expect(of('So')).toEqual(['rare', 'rare'])
  expect(of('was')).toEqual(['inside', 'inside', 'end'])
  expect(of('.\n')).toEqual(['other', 'line'])
  // After a full stop a capital makes no name.
  expect(of('It 7')).toEqual(['inside', 'end', 'space', 'digit'])
  // A character that is not one unit of UTF-16 takes one place.
  expect(characterKinds(['\u{1F40B}', 'a', ' '])).toEqual(['other', 'rare', 'space'])
})

test('means of each kind', () => {
  expect(
    kindTable(
      ['a', ' ', 'b'],
      [
        [4, 1, 8],
        [0, 1, 0],
      ],
    ).rows,
  ).toEqual([
    ['in a word that occurs once in the passage', 2, 3, 6, 0],
    ['space', 1, 1, 1, 1],
  ])
})
