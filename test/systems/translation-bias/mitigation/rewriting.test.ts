import { describe, expect, test } from 'vitest'
import { pluralVerb, rewritePronouns } from '../../../../src/systems/translation-bias/mitigation/rewriting.ts'

describe('into the other gender', () => {
  test.each([
    ['She is a doctor.', 'He is a doctor.'],
    ['The nurse lost her keys.', 'The nurse lost his keys.'],
    ['The guard saw her.', 'The guard saw him.'],
    ['The guard asked her to leave.', 'The guard asked him to leave.'],
    ['The guard saw her leaving.', 'The guard saw him leaving.'],
    [
      'The cook gave her flowers and told her never to come back.',
      'The cook gave him flowers and told him never to come back.',
    ],
    ['I know her daily schedule, and her back aches.', 'I know his daily schedule, and his back aches.'],
    ['The book is hers.', 'The book is his.'],
    ['She’s proud of herself, and she said so.', 'He’s proud of himself, and he said so.'],
    ['Anna sold the sheriff a shepherd.', 'Anna sold the sheriff a shepherd.'],
  ])('%s', (text, expected) => {
    expect(rewritePronouns(text, 'he')).toBe(expected)
  })

  test.each([
    ['His job is his.', 'Her job is hers.'],
    ['I told him that he was late.', 'I told her that she was late.'],
  ])('%s', (text, expected) => {
    expect(rewritePronouns(text, 'she')).toBe(expected)
  })
})

describe('into they', () => {
  test.each([
    ['She is a doctor.', 'They are a doctor.'],
    ["He's researching.", "They're researching."],
    ["She's been here.", "They've been here."],
    ['She always washes the dishes.', 'They always wash the dishes.'],
    ['He has lost his keys and blames himself.', 'They have lost their keys and blames themself.'],
    ['He had said that she was late.', 'They had said that they were late.'],
    ["The cook left because he doesn't care.", "The cook left because they don't care."],
    ['The cook, she said, sings.', 'The cook, they said, sings.'],
  ])('%s', (text, expected) => {
    expect(rewritePronouns(text, 'they')).toBe(expected)
  })
})

test.each([
  ['cries', 'cry'],
  ['goes', 'go'],
  ['fixes', 'fix'],
  ['watches', 'watch'],
  ['makes', 'make'],
  ['passes', 'pass'],
  ['uses', 'use'],
  ['sang', 'sang'],
  ['always', 'always'],
])('the plural of %s is %s', (verb, expected) => {
  expect(pluralVerb(verb)).toBe(expected)
})
