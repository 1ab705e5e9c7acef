import { expect, test } from 'vitest'
import { namedClass } from '../../../../src/systems/clip-video/video/beginnings.ts'

test('a line begins with the class that its words name first, the longer of two names', () => {
  const names = ['apple', 'fish', 'fox', 'red apple', 'tropical fish', '']
  const named = (words: string) => names[namedClass(words, names) ?? -1]
  expect(named('A fox, and a red apple')).toBe('fox')
  expect(named('a tropical fish in blue')).toBe('tropical fish')
  expect(named('the red apple')).toBe('red apple')
  expect(named('foxes and pineapples')).toBeUndefined()
  expect(named('')).toBeUndefined()
})
