/**
 * Initial values of parameters: PyTorch's initializers by name (and flax's LeCun normal), computed on the host.
 * Each is a function of the shape; weights are laid out [out, in, ...kernel]. Random ones draw from the generator that
 * `manualSeed` sets, unless another is given.
 */

import { elementCount } from '../tensor/dtype.ts'
import { defaultGenerator } from '../tensor/random-state.ts'
import type { Shape } from '../tensor/shape.ts'
import { checkShape, formatShape } from '../tensor/shape.ts'
import { Variable } from '../tensor/variable.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { deviationWithinTwo } from '../util/normal.ts'
import type { Generator } from '../util/random.ts'
import { Scoped } from '../util/scoped.ts'
import { dot } from '../util/vectors.ts'

/** Makes the initial values of a variable of the given shape. */
export type Initializer = (shape: Shape) => Float32Array

/** Options of random initializers. */
export interface RandomOptions {
  /** Default: the generator of `manualSeed`. */
  readonly generator?: Generator
}

const skips = new Scoped(false)

/**
 * Runs `build` without initialising parameters: they stay at 0, no random numbers are drawn, and memory is only used once it is written.
 * For a model that is loaded from a checkpoint, or whose sizes alone are needed. Returns what `build` returns.
 */
export function skipInit<T>(build: () => T): T {
  return skips.run(true, build)
}

/** A trainable variable. */
export function parameter(shape: Shape, initializer: Initializer): Variable {
  checkShape('parameter', shape)
  return new Variable(shape, { ...(!skips.current && { data: initializer(shape) }), trainable: true })
}

/** Replaces the initial values of a parameter; within `skipInit` it stays at 0. */
export function initialize(variable: Variable, initializer: Initializer): void {
  if (!skips.current) variable.set(initializer(variable.shape))
}

/** A variable that is state, not a parameter, such as a running statistic. */
export function buffer(shape: Shape, initializer: Initializer): Variable {
  checkShape('buffer', shape)
  return new Variable(shape, { data: initializer(shape) })
}

export function zeros(shape: Shape): Float32Array {
  return new Float32Array(elementCount(shape))
}

export function ones(shape: Shape): Float32Array {
  return zeros(shape).fill(1)
}

/** An initializer that sets all elements to one value. */
export function constant(value: number): Initializer {
  return (shape) => zeros(shape).fill(value)
}

/** Uniform in [low, high). Defaults: low 0, high 1. */
export function uniform(
  shape: Shape,
  { low = 0, high = 1, generator = defaultGenerator() }: RandomOptions & { low?: number; high?: number } = {},
): Float32Array {
  return generator.uniform(elementCount(shape)).map((value) => low + (high - low) * value)
}

/** Normal with the given mean and standard deviation. Defaults: mean 0, std 1. */
export function normal(
  shape: Shape,
  { mean = 0, std = 1, generator = defaultGenerator() }: RandomOptions & { mean?: number; std?: number } = {},
): Float32Array {
  return generator.normal(elementCount(shape)).map((value) => mean + std * value)
}

/** Options of `truncNormal`. */
export interface TruncNormalOptions extends RandomOptions {
  readonly mean?: number
  readonly std?: number
  /** Bounds of the values (not in standard deviations, as in PyTorch). Defaults: -2, 2. */
  readonly a?: number
  readonly b?: number
}

/**
 * Normal restricted to [a, b]: values outside are drawn again. Defaults: mean 0, std 1, bounds -2 and 2. Throws a UsageError if the
 * bounds are not in order, or if all of [a, b] is more than 4 standard deviations from the mean.
 */
export function truncNormal(
  shape: Shape,
  { mean = 0, std = 1, a = -2, b = 2, generator = defaultGenerator() }: TruncNormalOptions = {},
): Float32Array {
  if (!(a < b) || a > mean + 4 * std || b < mean - 4 * std) {
    throw new UsageError(
      `truncNormal: bounds must be ordered and within 4 standard deviations of the mean, found [${a}, ${b}], mean ${mean}, std ${std}`,
    )
  }
  const values = normal(shape, { mean, std, generator })
  const outside = (value: number): boolean => value < a || value > b
  for (let i = 0; i < values.length; i++) {
    // Two at a time: the generator draws pairs anyway.
    while (outside(values[i] ?? mean)) {
      const [first = mean, second = mean] = generator.normal(2)
      values[i] = mean + std * (outside(mean + std * first) ? second : first)
    }
  }
  return values
}

/** The fans of a weight [out, in, ...kernel]: fanIn = in * kernel size, fanOut = out * kernel size. Throws a ShapeError for fewer than 2 axes. */
export function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [out, inputs, ...kernel] = shape
  if (out === undefined || inputs === undefined) {
    throw new ShapeError(`init: fans need a weight of at least 2 axes, found ${formatShape(shape)}`, {
      hint: 'use uniform, normal or constant for vectors',
    })
  }
  const field = elementCount(kernel)
  return { fanIn: inputs * field, fanOut: out * field }
}

/** Nonlinearities with a recommended gain. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu'

/** PyTorch's gain of a nonlinearity; `slope` is the negative slope of leakyRelu (default 0.01). */
export function calculateGain(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.SQRT2
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope ** 2))
    case 'selu':
      return 3 / 4
    default:
      return 1
  }
}

/** Uniform within gain * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). Default gain: 1. */
export function xavierUniform(
  shape: Shape,
  { gain = 1, ...random }: RandomOptions & { gain?: number } = {},
): Float32Array {
  const { fanIn, fanOut } = fans(shape)
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut))
  return uniform(shape, { ...random, low: -bound, high: bound })
}

/** Normal with standard deviation gain * sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). Default gain: 1. */
export function xavierNormal(
  shape: Shape,
  { gain = 1, ...random }: RandomOptions & { gain?: number } = {},
): Float32Array {
  const { fanIn, fanOut } = fans(shape)
  return normal(shape, { ...random, std: gain * Math.sqrt(2 / (fanIn + fanOut)) })
}

/** Options of the Kaiming initializers. */
export interface KaimingOptions extends RandomOptions {
  /** Negative slope, for leakyRelu. Default: 0. */
  readonly a?: number
  /** Default: fanIn, which keeps the variance in the forward pass. */
  readonly mode?: 'fanIn' | 'fanOut'
  /** Default: leakyRelu. */
  readonly nonlinearity?: Nonlinearity
}

function kaimingStd(shape: Shape, { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions): number {
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(shape)[mode])
}

/** Uniform within gain * sqrt(3 / fan) (He et al. 2015). */
export function kaimingUniform(shape: Shape, options: KaimingOptions = {}): Float32Array {
  const bound = Math.sqrt(3) * kaimingStd(shape, options)
  return uniform(shape, { ...options, low: -bound, high: bound })
}

/** Normal with standard deviation gain / sqrt(fan) (He et al. 2015). */
export function kaimingNormal(shape: Shape, options: KaimingOptions = {}): Float32Array {
  return normal(shape, { ...options, std: kaimingStd(shape, options) })
}

/** flax's `lecun_normal`: normal truncated at two standard deviations, rescaled to variance 1 / fanIn. */
export function lecunNormal(shape: Shape, { generator = defaultGenerator() }: RandomOptions = {}): Float32Array {
  const scale = 1 / Math.sqrt(fans(shape).fanIn) / deviationWithinTwo
  const values = generator.truncatedNormal(elementCount(shape))
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * scale
  return values
}

/** Ones on the diagonal of a matrix. */
export function eye(shape: Shape): Float32Array {
  const [rows, columns, ...rest] = shape
  if (rows === undefined || columns === undefined || rest.length > 0)
    throw new ShapeError(`eye: the shape must have 2 axes, found ${formatShape(shape)}`)
  const values = zeros(shape)
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1
  return values
}

/**
 * The kernel of a convolution that returns its input: a one at the centre that joins output channel i of each group to its input
 * channel i, all else 0.
 */
export function dirac(shape: Shape, { groups = 1 }: { groups?: number } = {}): Float32Array {
  const [out, inputs, ...kernel] = shape
  if (out === undefined || inputs === undefined || kernel.length === 0 || kernel.length > 3)
    throw new ShapeError(`dirac: the shape must have 3, 4 or 5 axes, found ${formatShape(shape)}`)
  if (out % groups !== 0)
    throw new ShapeError(`dirac: axis 0 must be a multiple of groups = ${groups}, found ${formatShape(shape)}`)
  const field = elementCount(kernel)
  const centre = kernel.reduce((offset, size) => offset * size + Math.floor(size / 2), 0)
  const values = zeros(shape)
  const perGroup = out / groups
  for (let group = 0; group < groups; group++) {
    for (let i = 0; i < Math.min(perGroup, inputs); i++)
      values[((group * perGroup + i) * inputs + i) * field + centre] = 1
  }
  return values
}

/**
 * A random matrix with orthonormal rows (or columns, if there are fewer of them), times gain (Saxe et al. 2013). Further axes
 * are folded into the columns. It is Q of the QR decomposition of a normal matrix, where the diagonal of R is positive.
 */
export function orthogonal(
  shape: Shape,
  { gain = 1, generator = defaultGenerator() }: RandomOptions & { gain?: number } = {},
): Float32Array {
  const [rows, ...rest] = shape
  if (rows === undefined || rest.length === 0)
    throw new ShapeError(`orthogonal: the shape must have at least 2 axes, found ${formatShape(shape)}`)
  const columns = elementCount(rest)
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows]
  const vectors = orthonormal(Float64Array.from(generator.normal(count * length)), count, length)
  const values = zeros(shape)
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < length; j++) {
      const target = rows <= columns ? i * columns + j : j * columns + i
      values[target] = gain * (vectors[i * length + j] ?? 0)
    }
  }
  return values
}

/** Gram-Schmidt on `count` rows, in place; each projection is removed twice, which makes it exact to rounding. */
function orthonormal(rows: Float64Array, count: number, length: number): Float64Array {
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * length, (i + 1) * length)
    for (let j = 0; j < 2 * i; j++) {
      const other = rows.subarray((j % i) * length, ((j % i) + 1) * length)
      const projection = dot(row, other)
      for (let k = 0; k < length; k++) row[k] = (row[k] ?? 0) - projection * (other[k] ?? 0)
    }
    const norm = Math.sqrt(dot(row, row))
    for (let k = 0; k < length; k++) row[k] = (row[k] ?? 0) / norm
  }
  return rows
}
