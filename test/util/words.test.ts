import { expect, test } from 'vitest'
import { counted } from '../../src/util/words.ts'

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
