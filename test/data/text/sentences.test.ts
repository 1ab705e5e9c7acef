import { expect, test } from 'vitest'
import { sentencesOf } from '../../../src/data/index.ts'

test('sentences end at full stops, not after abbreviations, and at line breaks', () => {
  expect(sentencesOf('Mr. Starbuck went. "No!" said Mrs. B. Hussey. Then\nchapter two\n\n')).toEqual([
    'Mr. Starbuck went.',
    '"No!" said Mrs. B. Hussey.',
    'Then',
    'chapter two',
  ])
  expect(sentencesOf('')).toEqual([])
})
