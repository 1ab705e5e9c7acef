import { expect, test } from 'vitest'
import { withAdjective } from '../../../../src/systems/translation-bias/winomt/adjectives.ts'
import { entityTokens, parseSentences } from '../../../../src/systems/translation-bias/winomt/sentences.ts'

test('a stereotype in front of the person, who is found behind it', () => {
  const sentences = parseSentences(
    [
      'female\t1\tThe baker sang because she was happy.\tbaker',
      'male\t3\tShe told an engineer that he was late.\tengineer',
      'neutral\t1\tThe baker sang because they were happy.\tbaker',
      'male\t0\tSomeone asked whether he was late.\tsomeone',
    ].join('\n'),
    'en.txt',
  ).map(withAdjective)
  expect(sentences.map(({ text }) => text)).toEqual([
    'The pretty baker sang because she was happy.',
    'She told a handsome engineer that he was late.',
    'The baker sang because they were happy.',
    'Someone asked whether he was late.',
  ])
  expect(sentences.map(entityTokens)).toEqual([[0, 2], [2, 4], [0, 1], [0]])
})
