import { expect, test } from 'vitest'
import { counted, percent } from '../../src/util/words.ts'

test.each([
  [0, 'point', '0 points'],
  [1, 'point', '1 point'],
  [1234, 'point', '1,234 points'],
  [1, 'class', '1 class'],
  [2, 'class', '2 classes'],
  [3, 'entry', '3 entries'],
  [2, 'key', '2 keys'],
  [2, 'matrix', '2 matrices'],
] as const)('%d, %s: %s', (count, noun, words) => {
  expect(counted(count, noun)).toBe(words)
})

test('shares are shown with one decimal, or as many as asked for', () => {
  expect([percent(0.1234), percent(1, 0), percent(0.98421, 2)]).toEqual(['12.3 %', '100 %', '98.42 %'])
})
