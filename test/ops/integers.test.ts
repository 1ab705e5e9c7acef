/** Numbers beside integer and bool tensors (docs/decisions/031), and functions that integers do not have. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import * as ops from '../../src/ops/kit.ts'
import type { DType } from '../../src/tensor/dtype.ts'
import { type NestedNumbers, type Tensor, tensor } from '../../src/tensor/tensor.ts'
import { ShapeError } from '../../src/util/errors.ts'

const inf = Number.POSITIVE_INFINITY
const int32 = tensor([-1, 0, 1, 2], 'int32')
const int64 = tensor([-1, 0, 1, 2], 'int64')
const uint8 = tensor([0, 1, 254, 255], 'uint8')
const bool = tensor([0, 1], 'bool')

/** Computed by the runtime, not folded: the tensors are inputs. */
async function numbersOf(call: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Promise<number[]> {
  const run = compile(call)
  const result = await (await run(...inputs)).numbers()
  await run.release()
  return result
}

describe('comparisons with a number that the dtype does not hold', () => {
  type Compare = (a: ops.Operand, b: ops.Operand) => Tensor
  const comparisons: readonly (readonly [Compare, (a: number, b: number) => boolean])[] = [
    [ops.equal, (a, b) => a === b],
    [ops.notEqual, (a, b) => a !== b],
    [ops.less, (a, b) => a < b],
    [ops.lessOrEqual, (a, b) => a <= b],
    [ops.greater, (a, b) => a > b],
    [ops.greaterOrEqual, (a, b) => a >= b],
  ]
  const values = [0.5, -0.5, -1, 256, 2 ** 31, -(2 ** 40), 2 ** 60, 2 ** 63, 1e300, inf, -inf, Number.NaN, 1]

  test.each([int32, int64, uint8, bool])('%s', async (x) => {
    const numbers = await x.numbers()
    const all = (t: Tensor): Tensor =>
      ops.stack(comparisons.flatMap(([compare]) => values.flatMap((value) => [compare(t, value), compare(value, t)])))
    const expected = comparisons.flatMap(([, holds]) =>
      values.flatMap((value) => [
        ...numbers.map((n) => Number(holds(n, value))),
        ...numbers.map((n) => Number(holds(value, n))),
      ]),
    )
    expect(await numbersOf(all, x)).toEqual(expected)
  })

  test('int64 beyond 2^53', async () => {
    const large = tensor([2n ** 60n - 1n, 2n ** 60n, 2n ** 60n + 1n], 'int64')
    expect(await numbersOf((t) => ops.less(t, 2 ** 60), large)).toEqual([1, 0, 0])
    expect(await numbersOf((t) => ops.equal(2 ** 60, t), large)).toEqual([0, 1, 0])
  })
})

describe('arithmetic with a number that the dtype does not hold', () => {
  const whole = 'a whole number from -2147483648 to 2147483647'
  test.each<[string, () => Tensor]>([
    [`add: a number used with int32 must be ${whole}, found 0.5`, () => ops.add(int32, 0.5)],
    [`mul: a number used with int32 must be ${whole}, found 2147483648`, () => ops.mul(2 ** 31, int32)],
    [`maximum: a number used with int32 must be ${whole}, found Infinity`, () => ops.maximum(int32, inf)],
    [`where: a number used with int32 must be ${whole}, found 0.5`, () => ops.where(ops.less(int32, 1), int32, 0.5)],
    [`maskedFill: a number used with int32 must be ${whole}, found NaN`, () => ops.maskedFill(int32, bool, Number.NaN)],
    [`clamp: bounds of int32 must be whole numbers, found 0.5`, () => ops.clamp(int32, 0.5)],
    [`clamp: bounds of int32 must be ${whole}, found 2147483648`, () => ops.clamp(int32, 2 ** 31)],
    [
      `pad: the value for uint8 must be a whole number from 0 to 255, found 256`,
      () => ops.padAxis(uint8, 0, 1, 0, 256),
    ],
    [
      'where: a number used with uint8 must be a whole number from 0 to 255, found -1',
      () => ops.where(ops.less(uint8, 1), -1, uint8),
    ],
    ['where: a number used with bool must be 0 or 1, found 2', () => ops.where(bool, bool, 2)],
    [
      'add: a number used with int64 must be a whole number from -9007199254740991 to 9007199254740991, found 0.5',
      () => ops.add(int64, 0.5),
    ],
    [
      'full: int64 holds a whole number from -9007199254740991 to 9007199254740991, found 0.5',
      () => ops.full([1], 0.5, 'int64'),
    ],
    ['full: uint8 holds a whole number from 0 to 255, found -1', () => ops.fullLike(uint8, -1)],
    ['arange: uint8 holds a whole number from 0 to 255, found 256', () => ops.arange(250, 258, { dtype: 'uint8' })],
    ['div: integers cannot be divided by 0, found int32[] with a 0', () => ops.div(int32, 0)],
    [
      'remainder: integers cannot be divided by 0, found int64[2] with a 0',
      () => ops.remainder(1, tensor([1, 0], 'int64')),
    ],
    ['floorDivide: integers cannot be divided by 0, found int32[] with a 0', () => ops.floorDivide(int32, 0)],
  ])('%s', (message, call) => {
    expect(call).toThrow(ShapeError)
    expect(call).toThrow(message)
  })

  test('one that it holds is exact', async () => {
    const large = tensor([2n ** 53n + 1n], 'int64')
    const run = compile((x: Tensor) => ops.sub(x, 2 ** 53 - 1))
    expect((await run(large)).array.data).toEqual(BigInt64Array.of(2n))
    expect(await numbersOf((x) => ops.add(x, 2 ** 31 - 3), int32)).toEqual([
      2147483644, 2147483645, 2147483646, 2147483647,
    ])
    expect(await numbersOf((x) => ops.mul(x, 0.5), tensor([1]))).toEqual([0.5])
  })
})

describe('functions of fractions', () => {
  const unary = (
    'rsqrt exp2 log2 log10 logit sinc sqrtOrZero elu celu selu softplus logSigmoid mish softsign tanhshrink hardswish ' +
    'softshrink vectorNorm normalize median softmin glu geglu swiglu variance exp log sigmoid tanh mean'
  ).split(' ')
  const functions = new Map(Object.entries(ops) as [string, (x: Tensor, ...rest: unknown[]) => unknown][])

  test.each(unary)('%s refuses integers and says how to convert them', (name) => {
    for (const dtype of ['int32', 'int64', 'uint8', 'bool'] as const) {
      let found: unknown
      try {
        functions.get(name)?.(tensor([[0, 1]], dtype))
      } catch (error) {
        found = error
      }
      expect(found).toBeInstanceOf(ShapeError)
      const { message, hint } = found as ShapeError
      expect([message.split('\n')[0], hint]).toEqual([
        `${name}: input must be float32, found ${dtype}`,
        "cast(input, 'float32') converts it",
      ])
    }
  })

  test('losses name the argument', () => {
    const x = tensor([[0.5, 1]])
    const whole = tensor([[0, 1]], 'int64')
    expect(() => ops.mseLoss(x, whole)).toThrow('mseLoss: y must be float32, found int64')
    expect(() => ops.bceWithLogits(x, whole)).toThrow('bceWithLogits: target must be float32, found int64')
    expect(() => ops.klDiv(whole, x)).toThrow('klDiv: input must be float32, found int64')
  })
})

describe('int64 beyond 32 bits', () => {
  const edge = [0, 1, -5, 2 ** 31, 2 ** 31 + 5, 2 ** 32, -(2 ** 31) - 1, -(2 ** 32), 2 ** 40 + 3, 2 ** 33 + 2 ** 31]
  const pairs = edge.flatMap((a) => edge.map((b) => [a, b] as const))
  const [left, right] = [0, 1].map((side) => pairs.map((pair) => pair[side] ?? 0))
  const make = (values: NestedNumbers, dtype: DType = 'int64'): Tensor => tensor(values, dtype)

  test('maximum, minimum, sign and clamp', async () => {
    const [a, b] = [make(left ?? []), make(right ?? [])]
    expect(await numbersOf((x, y) => ops.maximum(x, y), a, b)).toEqual(pairs.map(([x, y]) => Math.max(x, y)))
    expect(await numbersOf((x, y) => ops.minimum(x, y), a, b)).toEqual(pairs.map(([x, y]) => Math.min(x, y)))
    expect(await numbersOf((x) => ops.sign(x), make(edge))).toEqual(edge.map(Math.sign))
    expect(await numbersOf((x) => ops.clamp(x, -3, 2 ** 31), make(edge))).toEqual(
      edge.map((x) => Math.min(Math.max(x, -3), 2 ** 31)),
    )
    expect(await numbersOf((x) => ops.cummax(x, 0)[0], make([1, 2 ** 31, 5]))).toEqual([1, 2 ** 31, 2 ** 31])
  })
})
