/**
 * Random tensors: drawn at each call of a compiled function, from a stream that depends only on the seed, the
 * number of the call and the place of the draw in the graph. The number of the call is a variable: a checkpoint that
 * holds it continues the stream exactly.
 */

import type { DType } from '../tensor/dtype.ts'
import { type Draw, type RandomState, randomState } from '../tensor/random-state.ts'
import type { Shape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { betaNumbers } from '../util/beta.ts'
import {
  optionsOf,
  requireAtLeast,
  requireCount,
  requireFinite,
  requirePositive,
  requireWithin,
} from '../util/check.ts'
import { full, requireElements } from './creation.ts'
import { checked, type Operand, toFloat } from './define.ts'
import { add, less, mul } from './elementwise/binary.ts'
import { cast } from './elementwise/choice.ts'

/** Where random functions draw from. */
export interface RandomOptions {
  /** Default: the state that `manualSeed` sets. */
  readonly state?: RandomState
}

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

/** What `state` draws; an invalid shape is an error at the line that called the op. */
function drawn(op: string, state: RandomState, dtype: DType, shape: Shape, draw: Draw): Tensor {
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
  const { low = 0, high = 1, state = randomState() } = optionsOf('randomUniform', options)
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
  const { mean = 0, std = 1, state = randomState() } = optionsOf('randomNormal', options)
  checkNormal('randomNormal', mean, std)
  const unit = drawn('randomNormal', state, 'float32', shape, ({ stream, call, lane }, count) =>
    stream.normal(call, lane, count),
  )
  return affine(unit, std, mean)
}

/** The standard normal distribution restricted to [-2, 2], times `std` (its own deviation is 0.88), plus `mean`. */
export function randomTruncatedNormal(shape: Shape, options?: NormalOptions): Tensor {
  const { mean = 0, std = 1, state = randomState() } = optionsOf('randomTruncatedNormal', options)
  checkNormal('randomTruncatedNormal', mean, std)
  const unit = drawn('randomTruncatedNormal', state, 'float32', shape, ({ generator }, count) =>
    generator().truncatedNormal(count),
  )
  return affine(unit, std, mean)
}

/** bool: true with the given probability. */
export function randomBernoulli(shape: Shape, probability: number, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomBernoulli', options)
  checked(() => requireWithin('randomBernoulli', 'probability', probability, [0, 1]))
  if (probability === 1) return full(shape, 1, 'bool')
  // Words are uniform over all int32: one comparison in the graph costs less than making bytes on the host.
  const words = drawn('randomBernoulli', state, 'int32', shape, ({ stream, call, lane }, count) =>
    stream.bits(call, lane, count),
  )
  return less(words, Math.min(Math.round(probability * 2 ** 32), 2 ** 32 - 1) - 2 ** 31)
}

/** Beta(a, b) on (0, 1). */
export function randomBeta(shape: Shape, a: number, b: number, options?: RandomOptions): Tensor {
  const { state = randomState() } = optionsOf('randomBeta', options)
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
  const { state = randomState() } = optionsOf('randomPermutation', options)
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
  const given = optionsOf('dropout', options)
  const input = toFloat('dropout', x)
  checked(() => requireWithin('dropout', 'p', p, [0, 1]))
  if (p === 0 || given.training === false) return input
  if (p === 1) return mul(input, 0)
  // Forward and backward both multiply by this one tensor.
  const factors = mul(cast(randomBernoulli(input.shape, 1 - p, given), 'float32'), 1 / (1 - p))
  return mul(input, factors)
}
