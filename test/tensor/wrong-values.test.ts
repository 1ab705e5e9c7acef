/** What plain JavaScript hands to tensors and variables: an answer in our words. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/index.ts'
import { toNumbers } from '../../src/tensor/dtype.ts'
import { constant, tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import type { TenfoldError } from '../../src/util/errors.ts'

/** From JavaScript, or from a file: the type system cannot be asked there. */
const untyped = <T>(value: unknown): T => value as T
const cyclic: unknown[] = [1]
cyclic[0] = cyclic
const iterable = untyped<Iterable<unknown>>(tensor([1, 2]))
const variable = new Variable([2], { name: 'w' })
const cure = 'ops.split(x, 1) cuts it along axis 0; numbers come from `await x.numbers()` outside of compile'

describe('one line says what must hold', () => {
  test.each<[string, string | undefined, () => unknown]>([
    ['Variable: shape must be a list, found undefined', undefined, () => new Variable(untyped(undefined))],
    ['Variable: shape must be a list, found 3', undefined, () => new Variable(untyped(3))],
    ['Variable: options must be an object, found 3', undefined, () => new Variable([1], untyped(3))],
    [
      'variable w: set takes a typed array or a list of numbers, found undefined',
      undefined,
      () => variable.set(untyped(undefined)),
    ],
    [
      'tensor: shape must be a list, found undefined',
      undefined,
      () => constant(...untyped<[Float32Array, [], 'bool']>([])),
    ],
    ['tensor: shape must be a list, found 1', undefined, () => constant(new Float32Array(1), untyped(1), 'float32')],
    ['tensor: shape must be a list, found undefined', undefined, () => tensor(untyped({ data: new Float32Array(2) }))],
    ['tensor: shape must be a list, found undefined', undefined, () => tensor(untyped({ data: null }))],
    [
      'tensor: float32 is stored as Float32Array, found null',
      undefined,
      () => tensor(untyped({ data: null, shape: [], dtype: 'float32' })),
    ],
    ['tensor: elements must be numbers, found an object', undefined, () => tensor(untyped({ length: 2, 0: 1 }))],
    ['tensor: elements must be numbers, found Symbol(s)', undefined, () => tensor(untyped(Symbol('s')))],
    ['tensor: lists may be nested 64 deep, found a deeper one, or a cycle', undefined, () => tensor(untyped(cyclic))],
    ['tensor: the array has dtype float32, asked for int32', 'use cast', () => tensor(tensor([1]), 'int32')],
    [
      'tensor: int64 holds a bigint from -9223372036854775808 to 9223372036854775807, found 1180591620717411303424',
      'no dtype holds larger ones exactly',
      () => tensor([2n ** 70n], 'int64'),
    ],
    ['float32[2] was iterated over, or spread, which it cannot be', cure, () => [...iterable]],
    [
      'Variable w float32[2] was iterated over, or spread, which it cannot be',
      cure,
      () => {
        const [first] = untyped<readonly unknown[]>(variable)
        return first
      },
    ],
    [
      'compile: a function of tensors is needed, found 3',
      'write compile((x) => model.forward(x))',
      () => compile(untyped<() => void>(3)),
    ],
    ['compile: options must be an object, found 3', undefined, () => compile(() => undefined, untyped(3))],
  ])('%s', (message, hint, call) => {
    expect(call).toThrow(expect.objectContaining<Partial<TenfoldError>>({ message, hint }))
  })
})

test('null is no options', async () => {
  expect(new Variable([1], untyped(null)).dtype).toBe('float32')
  const run = compile(() => ops.full([], 3), untyped(null))
  expect((await run()).item()).toBe(3)
  await run.release()
})

test('a tensor of a tensor is that tensor', () => {
  const x = tensor([1, 2])
  expect(tensor(x)).toBe(x)
})

test('a variable takes the value of another, and nothing that has none', async () => {
  const [target, source] = [new Variable([2]), new Variable([2], { data: Float32Array.of(5, 6) })]
  const step = compile(() => target.assign(source))
  await step()
  expect(toNumbers(target.data)).toEqual([5, 6])
  await step.release()
  const wrong = compile(() => variable.assign(untyped(undefined)))
  await expect(wrong()).rejects.toThrow('variable w: a tensor is needed, found undefined')
})
