import { describe, expect, test } from 'vitest'
import {
  associationTest,
  genderDirection,
  hardDebias,
  normalized,
} from '../../../../src/systems/translation-bias/mitigation/vectors.ts'
import { Generator } from '../../../../src/util/random.ts'

const names = ['he', 'she', 'man', 'woman', 'king', 'queen', 'nurse', 'doctor']
const random = new Generator(3)
const vectors = new Map(names.map((word) => [word, Float64Array.from(random.normal(6))]))
const pairs = [
  ['he', 'she'],
  ['man', 'woman'],
] as const
const dot = (x: Float64Array = new Float64Array(), y?: Float64Array): number =>
  x.reduce((sum, v, i) => sum + v * (y?.[i] ?? 0), 0)

describe('hard debiasing', () => {
  const words = {
    definitionalPairs: pairs,
    genderSpecific: ['he', 'she', 'king', 'queen'],
    equalizePairs: [['king', 'queen']] as const,
  }
  const found = hardDebias(vectors, words)
  const direction = genderDirection(normalized(vectors), pairs)

  test('neutral words have nothing of the direction, specific ones keep it', () => {
    for (const word of ['nurse', 'doctor', 'man']) expect(dot(found.get(word), direction)).toBeCloseTo(0, 9)
    expect(dot(found.get('he'), direction)).toBeGreaterThan(0)
  })

  test('an equalised pair has the same distance from every neutral word', () => {
    expect(dot(found.get('king'), found.get('nurse'))).toBeCloseTo(dot(found.get('queen'), found.get('nurse')), 9)
    expect(dot(found.get('king'), direction)).toBeCloseTo(-dot(found.get('queen'), direction), 9)
  })

  test('an association with the direction alone is gone', () => {
    const { statistic } = associationTest(found, { x: ['doctor'], y: ['nurse'], a: ['king'], b: ['queen'] })
    expect(statistic).toBeCloseTo(0, 9)
  })

  test('the sign is that of "he", else that of the first word of the first pair', () => {
    const start = normalized(vectors)
    const turned = pairs.map(([a, b]) => [b, a] as const).reverse()
    expect(dot(genderDirection(start, turned), direction)).toBeCloseTo(1, 12)
    const withoutHe = new Map([...start].filter(([word]) => word !== 'he'))
    const women = genderDirection(withoutHe, [['woman', 'man']])
    expect(dot(women, start.get('woman'))).toBeGreaterThan(0)
  })

  test('words without vectors, and no pairs', () => {
    expect(() => genderDirection(vectors, [['he', 'her']])).toThrow('there is no vector of "her"')
    expect(() => genderDirection(vectors, [])).toThrow('a gender direction needs a pair of words, found none')
  })
})
