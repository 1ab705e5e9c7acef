import { expect, expectTypeOf, test } from 'vitest'
import { gradient } from '../../src/autodiff/gradient.ts'
import * as ops from '../../src/ops/index.ts'
import { type Tensor, tensor } from '../../src/tensor/tensor.ts'

test('sizes gives the shape as a tuple, or says that the rank is another', () => {
  const [rows, columns] = tensor([[1, 2, 3]]).sizes(2)
  expectTypeOf(columns).toEqualTypeOf<number>()
  expect([rows, columns]).toEqual([1, 3])
  expect(() => tensor([1, 2]).sizes(4)).toThrow('a tensor of 4 axes is needed, found shape [2]')
})

test('gradients and pieces are tuples where their number is known', () => {
  const [x, y] = [tensor([1, 2, 3]), tensor([4, 5, 6])]
  const gradients = gradient(ops.sum(ops.mul(x, y)), [x, y])
  expectTypeOf(gradients).toEqualTypeOf<[Tensor, Tensor]>()
  const pieces = ops.split(x, [1, 2])
  expectTypeOf(pieces[1]).toEqualTypeOf<Tensor>()
  expect(pieces.map(({ shape }) => shape)).toEqual([[1], [2]])
  expectTypeOf(ops.chunk(x, 3)).toEqualTypeOf<readonly [Tensor, Tensor, Tensor]>()
})
