import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import * as ops from '../../src/ops/index.ts'
import { constant, Tensor, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'

test('a tensor prints its type and numbers', () => {
  expect(
    inspect(
      tensor([
        [1, 2.5],
        [1 / 3, -1e-9],
      ]),
    ),
  ).toBe('Tensor float32[2, 2] [[1, 2.5], [0.33333, -1e-9]]')
  expect(inspect(tensor(7, 'int64'))).toBe('Tensor int64[] 7')
  expect(inspect(constant(Uint8Array.of(1, 0), [2], 'bool'))).toBe('Tensor bool[2] [true, false]')
  expect(inspect(constant(new Float32Array(0), [2, 0], 'float32'))).toBe('Tensor float32[2, 0] [[], []]')
})

test('long axes show both ends', () => {
  const rows = Array.from({ length: 10 }, (_, i) => i)
  expect(inspect(tensor(rows))).toBe('Tensor float32[10] [0, 1, 2, ..., 7, 8, 9]')
  expect(inspect(tensor(rows.map((i) => [i, -i])))).toBe(
    'Tensor float32[10, 2] [[0, 0], [1, -1], [2, -2], ..., [7, -7], [8, -8], [9, -9]]',
  )
})

test('a symbolic tensor says what it is', () => {
  expect(inspect(ops.neg(tensor([1])))).toBe('Tensor float32[1] (symbolic: neg)')
  expect(inspect(new Tensor('int32', [2], { kind: 'input', name: 'x' }))).toBe('Tensor int32[2] (symbolic: input)')
})

test('a variable prints its name and present numbers', () => {
  const weight = new Variable([2], { name: 'fc.weight', data: Float32Array.of(1, 2) })
  expect(inspect(weight)).toBe('Variable fc.weight float32[2] [1, 2]')
  expect(() => Number(weight)).toThrow('Variable fc.weight float32[2] was used as a JavaScript number')
})
