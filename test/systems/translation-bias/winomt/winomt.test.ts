import { describe, expect, test } from 'vitest'
import { translatedEntityGender } from '../../../../src/systems/translation-bias/winomt/gender.ts'
import { readGenders } from '../../../../src/systems/translation-bias/winomt/pipeline.ts'
import {
  deltaG,
  deltaS,
  genderConfusion,
  subsetPredictions,
  winoScores,
} from '../../../../src/systems/translation-bias/winomt/scores.ts'
import {
  entityTokens,
  parseSentences,
  targetIndices,
} from '../../../../src/systems/translation-bias/winomt/sentences.ts'
import { spacyTokens } from '../../../../src/systems/translation-bias/winomt/tokens.ts'

const file = [
  'female\t1\tThe baker sang because she was happy.\tbaker',
  'male\t4\tThe cook saw the baker because he sang.\tbaker',
  'male\t0\tBakers sing.\tbaker',
].join('\n')

describe('sentences', () => {
  test('the article belongs to the person, the aligned tokens follow its order', () => {
    const sentences = parseSentences(`${file}\n`, 'own.txt')
    expect(sentences.map(entityTokens)).toEqual([[0, 1], [3, 4], [0]])
    const links = [
      [0, 2],
      [1, 1],
      [1, 3],
      [2, 0],
    ] as const
    expect(targetIndices([1, 0], links)).toEqual([1, 3, 2])
  })

  test('lines that are none', () => {
    expect(() => parseSentences('female\t1\tno entity', 'own.txt')).toThrow(
      'own.txt: line 1 must be male, female or neutral, an index, a sentence and an entity, separated by tabs',
    )
    expect(() => parseSentences('female\t7\ttwo words\tword', 'own.txt')).toThrow(
      "own.txt: line 1: the entity's index must be below the 2 words of the sentence, found 7",
    )
  })
})

test.each([
  ['Die „Bäckerin“ (z.B. hier) ging...', false, ['Die', '„', 'Bäckerin', '“', '(', 'z.B.', 'hier', ')', 'ging', '...']],
  ['Sanitäter-Kollege, 3.5 km.', false, ['Sanitäter-Kollege', ',', '3.5', 'km', '.']],
  ['בית-ספר.', true, ['בית', '-', 'ספר', '.']],
])('words and punctuation of %s', (text, hyphens, expected) => {
  expect(spacyTokens(text, { hyphens })).toEqual(expected)
})

describe('gender rules', () => {
  const german = (phrase: string, target: string, indices: readonly number[], profession = 'baker') =>
    translatedEntityGender('de', { phrase, target, indices, profession })

  test('German: ending, nearest determiner, no determiner, nothing aligned, the nurse', () => {
    expect(german('Bäckerin,', 'Anna ist Bäckerin, er nicht.', [2])).toBe('female')
    expect(german('Wache', 'Der Koch sieht die Wache.', [4])).toBe('female')
    expect(german('Bäcker', 'Bäcker singen.', [0])).toBe('male')
    expect(german('', 'Die singen.', [])).toBe('male')
    expect(german('Pfleger', 'Der Pfleger singt.', [1], 'nurse')).toBe('female')
  })

  test('German: the distance is from the first of the aligned tokens in the sentence, ties go to the earlier', () => {
    expect(german('das Chef', 'Der Bäcker gab dem Chef das Brot.', [5, 4])).toBe('male')
  })

  test('Hebrew and Arabic: nothing aligned is unknown', () => {
    const entity = { target: '', indices: [], profession: 'baker' }
    for (const language of ['he', 'ar'])
      expect(translatedEntityGender(language, { ...entity, phrase: '' })).toBe('unknown')
    expect(translatedEntityGender('he', { ...entity, phrase: 'את האופה' })).toBe('female')
    expect(translatedEntityGender('he', { ...entity, phrase: 'את השריף' })).toBe('male')
    expect(translatedEntityGender('ar', { ...entity, phrase: 'الخبازة' })).toBe('female')
  })

  test('a language without a rule', () => {
    expect(() => translatedEntityGender('xx', { phrase: '', target: '', indices: [], profession: '' })).toThrow(
      'language must be one of ar, de, he, pt, es, fr, it, found "xx"',
    )
  })
})

describe('scores', () => {
  test('of a system that always says male', () => {
    const scores = winoScores([
      [1826, 0, 0, 0],
      [1822, 0, 0, 0],
      [240, 0, 0, 0],
    ])
    expect(scores).toEqual({ accuracy: 47, f1Male: 63.9, f1Female: 0 })
    expect(deltaG(scores)).toBe(63.9)
  })

  test('what is unknown is wrong and counts', () => {
    const confusion = genderConfusion(['male', 'female'], ['male', 'unknown'])
    expect(confusion[1]).toEqual([0, 0, 0, 1])
    expect(winoScores(confusion).accuracy).toBe(50)
    expect(deltaS(winoScores(confusion), winoScores([[0, 1, 0, 0], [], []]))).toBe(50)
  })

  test('a subset takes the last prediction of its text', () => {
    const [first] = parseSentences(file, 'own.txt')
    if (!first) throw new Error('no sentence')
    expect(subsetPredictions([first], [first, first], ['male', 'female'])).toEqual(['female'])
  })
})

test('from sentences and translations to genders', () => {
  const sentences = parseSentences(file, 'own.txt')
  const translations = [
    'Die Bäckerin sang, weil sie froh war.',
    'Der Koch sah den Bäcker, weil er sang.',
    'Bäcker singen.',
  ]
  const found = readGenders(sentences, translations, 'de')
  expect(found[0]).toMatchObject({ phrase: 'Die Bäckerin', gender: 'female' })
  expect(() => readGenders(sentences, [], 'de')).toThrow('there must be a translation for each of 3 sentences, found 0')
  expect(() => readGenders(sentences, ['a', ' ', 'c'], 'de')).toThrow('translation 2 must have words, found none')
})
