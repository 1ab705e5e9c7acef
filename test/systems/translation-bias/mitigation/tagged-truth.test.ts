import { expect, test } from 'vitest'
import {
  countAgreement,
  countRewriting,
  genderOfSentence,
  parseTagged,
} from '../../../../src/systems/translation-bias/mitigation/tagged-truth.ts'

test('tags say what "her" becomes', () => {
  const words = parseTagged('\tShe/pps gave/vbd her/ppo her/pp$ own/jj 1/2/cd share/nn ./.')
  expect(words[5]).toEqual({ word: '1/2', tag: 'cd' })
  expect(genderOfSentence(words)).toBe('she')
  expect(countRewriting(words, 'he')).toEqual({
    pronouns: 3,
    right: 3,
    sentenceRight: true,
    byForm: { 'she/pps': [1, 1], 'her/ppo': [1, 1], 'her/pp$': [1, 1] },
  })
  expect(countRewriting(parseTagged("She'll/pps+md sing/vb"), 'he')).toMatchObject({ pronouns: 1, sentenceRight: true })
  // A rule that takes the object for a determiner is seen.
  const wrong = countRewriting(parseTagged('They/ppss saw/vbd her/ppo Monday/nr ./.'), 'he')
  expect(wrong).toMatchObject({ pronouns: 1, right: 0, sentenceRight: false })
})

test('sentences about both, about nobody, or with unknown tags are left out', () => {
  for (const line of ['He/pps saw/vbd her/ppo', 'It/pps rains/vbz', 'He/np', ''])
    expect(genderOfSentence(parseTagged(line))).toBeUndefined()
})

test('verbs that "they" changes, and others', () => {
  const words = parseTagged('He/pps always/rb sings/vbz ,/, she/pps said/vbd ./.')
  expect(countAgreement(words)).toEqual({ toChange: 1, changed: 1, toKeep: 1, kept: 1 })
})
