import { expect, test } from 'vitest'
import { checkExpected } from '../../src/verify/expected.ts'
import { CaseTensors } from '../../src/verify/reads.ts'
import { asGiven } from '../../src/verify/rounding.ts'

const check = (expected: unknown, found: unknown) => () =>
  checkExpected(
    {
      system: 'own',
      name: 'own',
      target: 'own',
      mode: 'eval',
      config: {},
      fields: { expected },
      folder: '.',
      tolerance: { atol: 0.1, rtol: 0 },
      rounding: asGiven,
      tensors: new CaseTensors(),
    },
    found,
  )

test('numbers within the tolerance, texts exactly, null for NaN, and what the case does not list', () => {
  expect(check({ a: [1, 'x', null] }, { a: [1.05, 'x', Number.NaN], more: 1 })).not.toThrow()
  expect(check(Number.MAX_VALUE, Number.MAX_VALUE)).not.toThrow()
})

test.each([
  [{ a: 1 }, { a: 1.2 }, 'expected.a is 1.2, expected 1'],
  [{ a: 'x' }, { a: 'y' }, 'expected.a is "y", expected "x"'],
  [{ a: 1 }, {}, 'expected.a was not computed'],
  [[1, 2], [1], 'expected has 1 items, expected 2'],
  [[1], { 0: 1 }, 'expected is {"0":1}, expected [1]'],
  [null, 1, 'expected is 1, expected null'],
  [1, Number.NaN, 'expected is NaN, expected 1'],
  [{ a: { b: 1 } }, { a: undefined }, 'expected.a is nothing, expected {"b":1}'],
])('a difference is named: %j and %j', (expected, found, message) => {
  expect(check(expected, found)).toThrow(message)
})
