/**
 * Random tensors: drawn at each call of a compiled function, from a stream that depends only on the seed, the
 * number of the call and the place of the draw in the graph. The number of the call is a variable: a checkpoint that
 * holds it continues the stream exactly.
 */

import type { DType } from '../../tensor/dtype.ts'
import { type Draw, type RandomState, randomState } from '../../tensor/random-state.ts'
import { broadcastShapes, formatShape, type Shape, sameShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  optionsOf,
  requireAtLeast,
  requireCount,
  requireFinite,
  requireOneOf,
  requirePositive,
  requireWhole,
  requireWithin,
} from '../../util/check.ts'
import { betaNumbers, poissonNumbers } from '../../util/distributions.ts'
import { ShapeError } from '../../util/errors.ts'
import { full, requireElements } from '../creation.ts'
import { checked, isTensorLike, type Operand, toFloat } from '../define.ts'
import { add, less, mul } from '../elementwise/binary.ts'
import { cast } from '../elementwise/choice.ts'
import { expand } from '../movement/movement.ts'

/** Where random functions draw from. */
export interface RandomOptions {
  /** Default: the state that `manualSeed` sets. */
  readonly state?: RandomState
}

/** The names of its options. */
export const randomNames = { state: true } as const

export interface UniformOptions extends RandomOptions {
  /** Default: 0. */
  readonly low?: number
  /** Default: 1. */
  readonly high?: number
}

export interface NormalOptions extends RandomOptions {
  /** Default: 0. */
  readonly mean?: number
  /** Standard deviation. Default: 1. */
  readonly std?: number
}

const normalNames = { mean: true, std: true, state: true } as const

/** What `state` draws; an invalid shape is an error at the line that called the op. */
export function drawn(op: string, state: RandomState, dtype: DType, shape: Shape, draw: Draw): Tensor {
  return checked(() => {
    requireElements(op, shape)
    return state.draw(dtype, shape, draw)
  })
}

/** x scale + shift, without the parts that have no effect. */
function affine(x: Tensor, scale: number, shift: number): Tensor {
  const scaled = scale === 1 ? x : mul(x, scale)
  return shift === 0 ? scaled : add(scaled, shift)
}

/** Uniform in [low, high). */
export function randomUniform(shape: Shape, options?: UniformOptions): Tensor {
  const {
    low = 0,
    high = 1,
    state = randomState(),
  } = optionsOf('randomUniform', options, { low: true, high: true, state: true })
  checked(() => {
    requireFinite('randomUniform', 'low', low)
    requireAtLeast('randomUniform', 'high', high, low)
  })
  const unit = drawn('randomUniform', state, 'float32', shape, ({ stream, call, lane }, count) =>
    stream.uniform(call, lane, count),
  )
  return affine(unit, high - low, low)
}

function checkNormal(op: string, mean: number, std: number): void {
  checked(() => {
    requireFinite(op, 'mean', mean)
    requireAtLeast(op, 'std', std, 0)
  })
}

/** Normal with a mean and a standard deviation. */
export function randomNormal(shape: Shape, options?: NormalOptions): Tensor {
  const { mean = 0, std = 1, state = randomState() } = optionsOf('randomNormal', options, normalNames)
  checkNormal('randomNormal', mean, std)
  const unit = drawn('randomNormal', state, 'float32', shape, ({ stream, call, lane }, count) =>
    stream.normal(call, lane, count),
  )
  return affine(unit, std, mean)
}

/** The standard normal distribution restricted to [-2, 2], times `std` (its own deviation is 0.88), plus `mean`. */
export function randomTruncatedNormal(shape: Shape, options?: NormalOptions): Tensor {
  const { mean = 0, std = 1, state = randomState() } = optionsOf('randomTruncatedNormal', options, normalNames)
  checkNormal('randomTruncatedNormal', mean, std)
  const unit = drawn('randomTruncatedNormal', state, 'float32', shape, ({ generator }, count) =>
    generator().truncatedNormal(count),
  )
  return affine(unit, std, mean)
}

/** What a parameter of a distribution is for each element of `shape`. */
export function parameterOf(op: string, argument: string, value: Operand, shape: Shape): Tensor {
  const tensor = toFloat(op, value, argument)
  return checked(() => {
    requireElements(op, shape)
    if (sameShape(broadcastShapes(op, [tensor.shape, shape]), shape)) return expand(tensor, shape)
    throw new ShapeError(
      `${op}: ${argument} must broadcast to ${formatShape(shape)}, found ${formatShape(tensor.shape)}`,
    )
  })
}

/** bool: true with the given probability, a number or a tensor that broadcasts to the shape. */
export function randomBernoulli(shape: Shape, probability: Operand, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomBernoulli', options, randomNames)
  if (isTensorLike(probability)) {
    const limit = parameterOf('randomBernoulli', 'probability', probability, shape)
    return less(randomUniform(shape, { state }), limit)
  }
  checked(() => requireWithin('randomBernoulli', 'probability', probability, [0, 1]))
  if (probability === 1) return full(shape, 1, 'bool')
  // Words are uniform over all int32: one comparison in the graph costs less than making bytes on the host.
  const words = drawn('randomBernoulli', state, 'int32', shape, ({ stream, call, lane }, count) =>
    stream.bits(call, lane, count),
  )
  return less(words, Math.min(Math.round(probability * 2 ** 32), 2 ** 32 - 1) - 2 ** 31)
}

/** What `state` draws of the standard exponential distribution, each number seen through `transform`. */
function drawnExponential(op: string, state: RandomState, shape: Shape, transform?: (x: number) => number): Tensor {
  return drawn(op, state, 'float32', shape, ({ stream, call, lane }, count) => {
    const numbers = stream.exponential(call, lane, count)
    return transform ? numbers.map(transform) : numbers
  })
}

export interface ExponentialOptions extends RandomOptions {
  /** 1 / mean. Default: 1. A tensor as rate: `div(randomExponential(shape), rate)`. */
  readonly rate?: number
}

/** Exponential with density rate e^(-rate x) on x > 0. */
export function randomExponential(shape: Shape, options?: ExponentialOptions): Tensor {
  const { rate = 1, state = randomState() } = optionsOf('randomExponential', options, { rate: true, state: true })
  checked(() => {
    requirePositive('randomExponential', 'rate', rate)
    requireFinite('randomExponential', 'rate', rate)
  })
  return affine(drawnExponential('randomExponential', state, shape), 1 / rate, 0)
}

export interface GumbelOptions extends RandomOptions {
  /** The mode. Default: 0. */
  readonly loc?: number
  /** Default: 1. */
  readonly scale?: number
}

/** Gumbel: loc - scale log(-log u), u uniform. Of logits + Gumbel noise the largest is a draw from softmax(logits). */
export function randomGumbel(shape: Shape, options?: GumbelOptions): Tensor {
  const {
    loc = 0,
    scale = 1,
    state = randomState(),
  } = optionsOf('randomGumbel', options, { loc: true, scale: true, state: true })
  checked(() => {
    requireFinite('randomGumbel', 'loc', loc)
    requireAtLeast('randomGumbel', 'scale', scale, 0)
    requireFinite('randomGumbel', 'scale', scale)
  })
  return affine(
    drawnExponential('randomGumbel', state, shape, (x) => -Math.log(x)),
    scale,
    loc,
  )
}

export interface IntegerOptions extends RandomOptions {
  /** Default: int64. */
  readonly dtype?: 'int64' | 'int32'
}

/** Whole numbers, each of low, ..., high - 1 equally likely (PyTorch's randint); both within the range of int32. */
export function randomIntegers(shape: Shape, low: number, high: number, options?: IntegerOptions): Tensor {
  const { dtype = 'int64', state = randomState() } = optionsOf('randomIntegers', options, { dtype: true, state: true })
  checked(() => {
    requireOneOf('randomIntegers', 'dtype', dtype, ['int64', 'int32'])
    requireWhole('randomIntegers', 'low', low)
    requireWhole('randomIntegers', 'high', high)
    requireWithin('randomIntegers', 'low', low, [-(2 ** 31), 2 ** 31 - 1])
    requireWithin('randomIntegers', 'high', high, [low + 1, 2 ** 31])
  })
  return drawn('randomIntegers', state, dtype, shape, ({ generator }, count) => {
    const numbers = generator().integers(low, high, count)
    return dtype === 'int32' ? numbers : BigInt64Array.from(numbers, BigInt)
  })
}

/** Poisson, as float32 (PyTorch): how often something happens that happens `rate` times on average, at most 2^24 times. */
export function randomPoisson(shape: Shape, rate: number, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomPoisson', options, randomNames)
  checked(() => requireWithin('randomPoisson', 'rate', rate, [0, 2 ** 24]))
  return drawn('randomPoisson', state, 'float32', shape, ({ generator }, count) =>
    poissonNumbers(generator(), rate, count),
  )
}

/** Beta(a, b) on (0, 1). */
export function randomBeta(shape: Shape, a: number, b: number, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomBeta', options, randomNames)
  checked(() => {
    for (const [name, value] of Object.entries({ a, b })) {
      requirePositive('randomBeta', name, value)
      requireFinite('randomBeta', name, value)
    }
  })
  return drawn('randomBeta', state, 'float32', shape, ({ generator }, count) => betaNumbers(generator(), a, b, count))
}

/** int64 [count]: the numbers 0 to count - 1 in random order. */
export function randomPermutation(count: number, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomPermutation', options, randomNames)
  checked(() => requireCount('randomPermutation', 'count', count))
  return drawn('randomPermutation', state, 'int64', [count], ({ generator }, length) =>
    BigInt64Array.from(generator().permutation(length), (value) => BigInt(value)),
  )
}

export interface DropoutOptions extends RandomOptions {
  /** false: x is returned as it is. Default: true. */
  readonly training?: boolean
}

/** Zeroes each element with probability p and divides the others by 1 - p, so that the expectation stays (PyTorch). */
export function dropout(x: Operand, p: number, options?: DropoutOptions): Tensor {
  const input = toFloat('dropout', x)
  return dropped('dropout', input, input.shape, p, options)
}

/** Zeroes whole channels of x [N, C, ...] with probability p and divides the others by 1 - p (PyTorch). */
export function dropout2d(x: Operand, p: number, options?: DropoutOptions): Tensor {
  const input = toFloat('dropout2d', x)
  return checked(() => {
    if (input.rank < 2)
      throw new ShapeError(`dropout2d: the input must be [N, C, ...], found ${formatShape(input.shape)}`)
    const channels = input.shape.map((size, axis) => (axis < 2 ? size : 1))
    return dropped('dropout2d', input, channels, p, options)
  })
}

/** Zeroes with probability p what one element of `shape`, which broadcasts to x, stands for. */
function dropped(op: string, x: Tensor, shape: Shape, p: number, options: DropoutOptions | undefined): Tensor {
  const { training = true, ...random } = optionsOf(op, options, { training: true, state: true })
  checked(() => requireWithin(op, 'p', p, [0, 1]))
  if (p === 0 || !training) return x
  if (p === 1) return mul(x, 0)
  // Forward and backward both multiply by this one tensor.
  const factors = mul(cast(randomBernoulli(shape, 1 - p, random), 'float32'), 1 / (1 - p))
  return mul(x, factors)
}
