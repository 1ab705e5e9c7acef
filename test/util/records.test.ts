import { expect, expectTypeOf, test } from 'vitest'
import { mapValues } from '../../src/util/records.ts'

test('mapValues keeps the names, for the compiler too', () => {
  const lengths = mapValues({ image: 'abc', label: 'd' }, (text, name) => `${name} ${text.length}`)
  expectTypeOf(lengths).toEqualTypeOf<Record<'image' | 'label', string>>()
  expect(lengths).toEqual({ image: 'image 3', label: 'label 1' })
})
