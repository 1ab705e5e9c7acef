import { describe, expect, test } from 'vitest'
import {
  biasAmplification,
  meanDivergence,
  meanSymmetricDivergence,
} from '../../../../src/systems/translation-bias/measures/amplification.ts'
import { setScore, tgbi, translatedGender } from '../../../../src/systems/translation-bias/measures/tgbi.ts'
import { roundHalfEven } from '../../../../src/util/rounding.ts'

describe('amplification', () => {
  test('is what the majority gains', () => {
    expect(
      biasAmplification(
        [
          [60, 40],
          [10, 90],
        ],
        [
          [100, 0],
          [0, 100],
        ],
      ),
    ).toBeCloseTo(0.25, 12)
    expect(biasAmplification([[50, 50]], [[100, 0]])).toBe(0)
  })

  test('divergences are 0 for equal shares', () => {
    expect(meanDivergence([[6, 4]], [[3, 2]])).toBeCloseTo(0, 12)
    expect(meanSymmetricDivergence([[1, 0]], [[0, 1]])).toBeCloseTo(Math.LN2, 12)
  })

  test('of different occupations is refused', () => {
    expect(() => biasAmplification([[1, 1]], [])).toThrow(
      'training and output must have the same occupations, found 1 and 0 of them',
    )
  })
})

describe('TGBI', () => {
  test('all neutral 1, balanced 1/2, one gender 0; the published code without the root', () => {
    expect(setScore({ female: 0, male: 0, neutral: 3 })).toBe(1)
    expect(setScore({ female: 2, male: 2, neutral: 0 })).toBe(0.5)
    expect(setScore({ female: 4, male: 0, neutral: 0 })).toBe(0)
    expect(setScore({ female: 2, male: 2, neutral: 0 }, { root: false })).toBe(0.25)
    expect(
      tgbi([
        { female: 1, male: 1, neutral: 0 },
        { female: 0, male: 0, neutral: 1 },
      ]),
    ).toBe(0.75)
  })

  test.each([
    ['She is a man', 'female'],
    ['that guy sings', 'male'],
    ['the person sings', 'neutral'],
  ])('%s: %s', (text, expected) => {
    expect(translatedGender(text)).toBe(expected)
  })
})

test.each([
  [0.5, 0],
  [1.5, 2],
  [2.5, 2],
  [2.4, 2],
  [-0.5, 0],
])('%s rounds to %s', (value, expected) => {
  expect(roundHalfEven(value) + 0).toBe(expected)
})
