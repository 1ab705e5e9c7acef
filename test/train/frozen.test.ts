import { expect, test } from 'vitest'
import { Variable } from '../../src/tensor/variable.ts'
import { FrozenParameters, learningShare } from '../../src/train/frozen.ts'

function weights(): Map<string, Variable> {
  const named = { learned: true, fixed: true, statistic: false }
  return new Map(
    Object.entries(named).map(([name, trainable], i) => {
      const variable = new Variable([2, i + 1], { trainable, data: new Float32Array(2 * (i + 1)).fill(i) })
      variable.frozen = name === 'fixed'
      return [name, variable]
    }),
  )
}

test('statistics are no parameters', () => {
  expect(learningShare(weights())).toEqual({ learn: 2, total: 6 })
})

test('a single bit of a frozen parameter counts, and nothing else does', () => {
  const named = weights()
  const frozen = new FrozenParameters(named)
  expect(frozen.tensors).toBe(1)
  named.get('learned')?.set([5, 6])
  named.get('statistic')?.set([1, 2, 3, 4, 5, 6])
  frozen.check()
  named.get('fixed')?.set([1, 1, 1, 1 + 2 ** -23])
  expect(() => frozen.check()).toThrow('1 of 1 frozen tensors changed: fixed')
})
