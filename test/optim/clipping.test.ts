import { describe, expect, test } from 'vitest'
import '../../src/index.ts'
import { clipGradNorm, clipGradValue, totalNorm } from '../../src/optim/index.ts'
import { tensor } from '../../src/tensor/tensor.ts'
import { untyped } from './support.ts'

const gradients = [tensor([[1, -2]]), tensor(2)]

describe('totalNorm', () => {
  test.each([
    [1, 5],
    [2, 3],
    [3, 17 ** (1 / 3)],
    [Number.POSITIVE_INFINITY, 2],
    [Number.NEGATIVE_INFINITY, 1],
  ])('of order %s', async (order, expected) => {
    expect((await totalNorm(gradients, order).numbers())[0]).toBeCloseTo(expected, 5)
  })

  test('of nothing is 0', async () => {
    expect(await totalNorm([]).numbers()).toEqual([0])
  })
})

test('gradients below the limit stay as they are', async () => {
  const { gradients: clipped } = clipGradNorm(gradients, 3.1)
  expect(await clipped[0]?.numbers()).toEqual([1, -2])
})

test('zero gradients do not divide by zero', async () => {
  const { gradients: clipped, norm } = clipGradNorm([tensor([0, 0])], 1)
  expect(await clipped[0]?.numbers()).toEqual([0, 0])
  expect(await norm.numbers()).toEqual([0])
})

test('clipGradValue limits each element', async () => {
  expect(await clipGradValue(gradients, 1.5)[0]?.numbers()).toEqual([1, -1.5])
  expect(() => clipGradValue(gradients, -1)).toThrow(
    expect.objectContaining({ message: 'clipGradValue: the limit must be at least 0, found -1' }),
  )
})

test.each([
  ['clipGradNorm: there is no option "norm_type"', () => clipGradNorm(gradients, 1, untyped({ norm_type: 1 }))],
  ['clipGradNorm: there is no option "order"', () => clipGradNorm(gradients, 1, untyped({ order: 1 }))],
  ['totalNorm: normType must be a number, found "1"', () => clipGradNorm(gradients, 1, { normType: untyped('1') })],
  ['totalNorm: tensors must be a list, found float32[2]', () => totalNorm(untyped(tensor([1, 2])))],
  ['clipGradValue: gradients must be a list, found float32[2]', () => clipGradValue(untyped(tensor([1, 2])), 1)],
])('%s', (message, call) => {
  expect(call).toThrow(expect.objectContaining({ name: 'UsageError', message }))
})
