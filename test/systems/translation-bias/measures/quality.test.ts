import { describe, expect, test } from 'vitest'
import { bleu, tokenize13a } from '../../../../src/systems/translation-bias/measures/bleu.ts'
import { chrf } from '../../../../src/systems/translation-bias/measures/chrf.ts'

const translations = [
  'The dog bit the man.',
  "It wasn't surprising.",
  'The man had just bitten him.',
  'Ela é médica — 3.5 % (x-ray), e 12-13 "aspas" &amp; mais.',
  'a',
  '',
  "Ő 🙂 doctor's!",
  'no match here at all',
]
const references = [
  ['The dog bit the man.', 'The dog had bit the man.'],
  ['It was not unexpected.', 'No one was surprised.'],
  ['The man bit him first.', 'The man had bitten the dog.'],
  ['Ela é médica -- 3,5 % (raio-x), e 12 - 13 "aspas" & mais', 'Ele é médico.'],
  ['a', 'a b'],
  ['x', 'y'],
  ["Ő 🙂 is a doctor's!", "She's a doctor"],
  ['qqq', 'www zzz'],
]
const first = references.map((own) => own.slice(0, 1))

describe('BLEU and chrF are those of sacrebleu 2.6.0', () => {
  test('over a set, with one reference and with two', () => {
    expect(bleu(translations, references)).toBeCloseTo(51.982071472845675, 10)
    expect(bleu(translations, first)).toBeCloseTo(49.41568153178357, 10)
    expect(chrf(translations, references)).toBeCloseTo(58.31688302285573, 10)
    expect(chrf(translations, first)).toBeCloseTo(53.816842852063594, 10)
    expect(chrf(translations, references, { wordOrder: 2 })).toBeCloseTo(55.80890172332595, 10)
  })

  test('of single sentences', () => {
    const sentences = translations.map((text, i) => [[text], [references[i] ?? []]] as const)
    const expectedBleu = [100, 14.794015674776452, 29.071536848410968, 62.44451680575339, 100, 0, 45.18010018049227, 0]
    const expectedChrf = [100, 35.34635301425291, 51.87740799504779, 59.38410074207924, 100, 0, 62.45389184302631, 0]
    for (const [i, [own, others]] of sentences.entries()) {
      expect(bleu(own, others, { effectiveOrder: true })).toBeCloseTo(expectedBleu[i] ?? -1, 10)
      expect(chrf(own, others)).toBeCloseTo(expectedChrf[i] ?? -1, 10)
    }
  })

  test('a set that is too short for 4-grams has no BLEU', () => {
    expect(bleu(['a b c'], [['a b c']])).toBe(0)
  })

  test('words are separated as mteval-v13a does it', () => {
    expect(tokenize13a(translations[3] ?? '').join(' ')).toBe(
      'Ela é médica — 3.5 % ( x-ray ) , e 12 - 13 " aspas " & mais .',
    )
  })

  test('without references', () => {
    expect(() => bleu(['a'], [])).toThrow('BLEU: each of 1 translations must have references, found those of 0')
    expect(() => chrf(['a', 'b'], [['a'], []])).toThrow('chrF: translation 2 must have a reference, found none')
  })
})
