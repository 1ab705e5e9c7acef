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

/** A text and the tokens that spaCy 3.8.18 makes of it, with "|" between. */
test.each([
  ['de', 'Die „Bäckerin“ (z.B. hier) ging...', 'Die|„|Bäckerin|“|(|z.B.|hier|)|ging|...'],
  ['de', 'Sanitäter-Kollege, 3.5 km.', 'Sanitäter-Kollege|,|3.5|km|.'],
  ['de', 'Lehrer/innen und Lehrer/-in, Ärzt(in)', 'Lehrer|/|innen|und|Lehrer/-in|,|Ärzt|(|in|)'],
  ['de', 'Ärzt*in, Bäcker_in, Lehrer:innen', 'Ärzt*in|,|Bäcker_in|,|Lehrer|:|innen'],
  ['de', 'die sog. Lehrerin, ca. 5, bzw. er.', 'die|sog.|Lehrerin|,|ca.|5|,|bzw.|er|.'],
  ['de', 'Am 3. Mai 1990, Nr. 5.', 'Am|3.|Mai|1990|,|Nr.|5.'],
  ['de', 'im Jan. 2019 (Nov.)', 'im|Jan.|2019|(|Nov.|)'],
  ['de', 'Dipl.-Ing. Meier, Prof. Dr. Müller', 'Dipl.-Ing.|Meier|,|Prof.|Dr.|Müller'],
  ['de', 'CDU/CSU c/o EU.', 'CDU/CSU|c/o|EU|.'],
  ['de', "Ich bin's, ich's, wir’s.", "Ich|bin's|,|ich|'s|,|wir|’s|."],
  ['de', "Hat's 'ne Ärztin?", "Hat's|'ne|Ärztin|?"],
  ['de', '5% 10€ 15kg 20 km/h 5°C.', '5|%|10|€|15|kg|20|km|/|h|5|°|C|.'],
  ['de', 'US$ 5, §8 +5 5+ +', 'US$|5|,|§|8|+5|5|+|+'],
  ['de', 'Er.Sie er.sie', 'Er|.|Sie|er.sie'],
  ['de', 'die,der die!der die--er die—er', 'die|,|der|die|!|der|die|--|er|die—er'],
  ['de', '1-2 5:30 1990er', '1|-|2|5:30|1990er'],
  ['de', `"Die" »Ärztin« ‚er‘ ''so''`, `"|Die|"|»|Ärztin|«|‚|er|‘|''|so|''`],
  ['de', 'Toll:) :-) <3 ^_^ gut ;-)', 'Toll|:)|:-)|<3|^_^|gut|;-)'],
  ['de', 'nein :( )', 'nein|:(|)'],
  ['de', 'www.x.de/a?b=1, e-mail@x.de.', 'www.x.de/a?b=1|,|e-mail@x.de|.'],
  ['de', '8.8.8.8 192.168.0.1', '8.8.8.8|192.168.0.1'],
  ['de', 'Was?!… ……… Ende....', 'Was|?|!|…|…|……|Ende|....'],
  ['de', 'zwei  Leerzeichen\tund\nZeilen ', 'zwei| |Leerzeichen|\t|und|\n|Zeilen'],
  ['de', 'die/', 'die|/'],
  ['de', '☺die🙂 © 2019', '☺|die|🙂|©|2019'],
  ['de', 'die[r] \\n (die', 'die|[|r|]|\\n|(|die'],
  ['de', 'A. B. USA. u.s.w.', 'A.|B.|USA|.|u.s.w.'],
  ['de', '°C. bei 3 °C.', '°|C|.|bei|3|°|C|.'],
  ['he', 'בית-ספר.', 'בית|-|ספר|.'],
  ['he', 'בית־ספר', 'בית־ספר'],
  ['he', 'עו"ד מארה"ב.', 'עו"ד|מארה"ב|.'],
  ['he', "צה״ל ג'ירפה צ׳ק", "צה״ל|ג'ירפה|צ׳ק"],
  ['he', `המורה' "המורה"`, `המורה|'|"|המורה|"`],
  ['he', '50% %50 מורה%', '50|%|%|50|מורה%'],
  ['he', '₪5 5₪ 10ש"ח', '₪|5|5|₪|10ש"ח'],
  ['he', 'מורה/ה 5/6 3:ב', 'מורה|/|ה|5/6|3|:|ב'],
  ['he', '3. 3.5 5-6 5+6', '3|.|3.5|5|-|6|5|+|6'],
  ['he', 'מורה.ה מורה."ה', 'מורה|.|ה|מורה|.|"ה'],
  ['he', 'מורה—ה מורה– --', 'מורה|—|ה|מורה|–|--'],
  ['he', "Anna's מורה’s", "Anna|'s|מורה|’s"],
  ['he', '(המורה, :) !?', '(|המורה|,|:)|!|?'],
  ['he', "z.B. ich's המורה;", "z.|B.|ich|'s|המורה|;"],
  ['he', 'המורה  שם', 'המורה| |שם'],
] as const)('%s: words and punctuation of %s', (language, text, expected) => {
  expect(spacyTokens(text, language).join('|')).toBe(expected)
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

  test('German: an abbreviation is one token of the distance, white space beyond a space another', () => {
    expect(german('Chef', 'die sog. Chef der Bäcker', [2])).toBe('male')
    expect(german('Chef', 'die neue Chef der Bäcker', [2])).toBe('male')
    expect(german('Chef', 'die neue Chef  der Bäcker', [2])).toBe('female')
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

  test.each([
    ['56.25', 2187, 3888, 56.2],
    ['43.75', 1701, 3888, 43.8],
    ['0.25', 1, 400, 0.2],
    // (r / of) * 100 and 100 * r / of are on two sides of the tie.
    ['63.74999999999999', 102, 160, 63.7],
    ['61.25000000000001', 147, 240, 61.3],
  ])('%s %% is rounded as by Python', (_, right, total, rounded) => {
    expect(winoScores([[right, 0, 0, total - right], [], []]).accuracy).toBe(rounded)
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
})

test('a translation without words is an empty phrase, and the others are aligned as without it', () => {
  const sentences = parseSentences(file, 'own.txt')
  const translations = ['Die Bäckerin sang, weil sie froh war.', ' ', 'Bäcker singen.']
  const nobody = { indices: [], phrase: '' }
  const found = readGenders(sentences, translations, 'de')
  expect(found[1]).toEqual({ ...nobody, gender: 'male' })
  const without = [0, 2].flatMap((i) => sentences[i] ?? [])
  expect([found[0], found[2]]).toEqual(readGenders(without, [translations[0] ?? '', translations[2] ?? ''], 'de'))
  for (const language of ['he', 'ar', 'es', 'fr', 'it', 'pt'])
    expect(readGenders(sentences, ['', '', ''], language)).toEqual(
      Array.from({ length: 3 }, () => ({ ...nobody, gender: 'unknown' })),
    )
})
