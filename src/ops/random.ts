/**
 * Random tensors: drawn anew at each call of a compiled function, from a stream that depends only on the seed, the
 * number of the call and the place of the draw in the graph. The number of the call is a variable: a checkpoint that
 * holds it continues the stream exactly.
 */
import type { DType } from '../tensor/dtype.ts'
import { elementCount, type TypedArray } from '../tensor/dtype.ts'
import { checkShape, type Shape } from '../tensor/shape.ts'
import { type Feed, Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { ShapeError } from '../util/errors.ts'
import { deriveSeed, Generator, RandomStream } from '../util/random.ts'
import { add, less, mul } from './binary.ts'
import { cast } from './choice.ts'
import { checked, type Operand, toTensor } from './define.ts'

/** A stream of random numbers and where it stands. */
export class RandomState {
  /** Calls of compiled functions that drew from the stream so far. */
  readonly calls = new Variable([], { dtype: 'int64', name: 'random.calls' })
  #stream: RandomStream
  #seed: number | bigint

  constructor(seed: number | bigint) {
    this.#seed = seed
    this.#stream = new RandomStream(seed)
  }

  /** Starts anew. */
  reseed(seed: number | bigint): void {
    this.#seed = seed
    this.#stream = new RandomStream(seed)
    this.calls.set([0])
  }

  /** What a checkpoint holds. */
  get variables(): ReadonlyMap<string, Variable> {
    return new Map([['calls', this.calls]])
  }

  get call(): bigint {
    return BigInt(this.calls.data[0] ?? 0)
  }

  /** A tensor whose numbers `draw` supplies at each call. */
  leaf(dtype: DType, shape: Shape, draw: (stream: RandomStream, call: bigint, lane: number) => TypedArray): Tensor {
    checked(() => checkShape('random', shape))
    const feed: Feed = {
      pull: (lane) => draw(this.#stream, this.call, lane),
      advance: this.#advance,
      retreat: this.#retreat,
    }
    return new Tensor(dtype, shape, { kind: 'feed', feed })
  }

  /** A generator for draws that the stream has no form for; a function of seed, call and lane like the others. */
  generator(lane: number): Generator {
    return new Generator(deriveSeed(this.#seed, 'call', this.call, lane))
  }

  readonly #advance = (): void => this.#move(1n)
  readonly #retreat = (): void => this.#move(-1n)

  #move(by: bigint): void {
    this.calls.data[0] = this.call + by
  }
}

const defaultState = new RandomState(0)

/** The state that all random ops draw from. */
export function randomState(): RandomState {
  return defaultState
}

/** Starts the random ops anew: equal seeds give equal numbers, in Node and in the browser. */
export function manualSeed(seed: number | bigint): void {
  defaultState.reseed(seed)
}

/** Uniform in [low, high). Defaults: 0, 1. */
export function randomUniform(shape: Shape, options: { readonly low?: number; readonly high?: number } = {}): Tensor {
  const { low = 0, high = 1 } = options
  const unit = defaultState.leaf('float32', shape, (stream, call, lane) =>
    stream.uniform(call, lane, elementCount(shape)),
  )
  return low === 0 && high === 1 ? unit : add(mul(unit, high - low), low)
}

/** Normal with mean and standard deviation. Defaults: 0, 1. */
export function randomNormal(shape: Shape, options: { readonly mean?: number; readonly std?: number } = {}): Tensor {
  const { mean = 0, std = 1 } = options
  const unit = defaultState.leaf('float32', shape, (stream, call, lane) =>
    stream.normal(call, lane, elementCount(shape)),
  )
  return mean === 0 && std === 1 ? unit : add(mul(unit, std), mean)
}

/** Standard normal restricted to [-2, 2], times std, plus mean. Defaults: 0, 1. */
export function randomTruncatedNormal(
  shape: Shape,
  options: { readonly mean?: number; readonly std?: number } = {},
): Tensor {
  const { mean = 0, std = 1 } = options
  const unit = defaultState.leaf('float32', shape, (_stream, _call, lane) =>
    defaultState.generator(lane).truncatedNormal(elementCount(shape)),
  )
  return mean === 0 && std === 1 ? unit : add(mul(unit, std), mean)
}

function checkProbability(op: string, probability: number): void {
  if (!(probability >= 0 && probability <= 1))
    throw new ShapeError(`${op}: the probability must be from 0 to 1, found ${probability}`)
}

/** bool: true with the given probability. */
export function randomBernoulli(shape: Shape, probability: number): Tensor {
  checked(() => checkProbability('randomBernoulli', probability))
  // Words are uniform over the int32 range: one comparison in the graph, no conversion on the host.
  const bits = defaultState.leaf('int32', shape, (stream, call, lane) => stream.bits(call, lane, elementCount(shape)))
  const limit = Math.round(probability * 2 ** 32 - 2 ** 31)
  if (limit >= 2 ** 31) return less(mul(bits, 0), 1)
  return less(bits, limit)
}

/** int64 [n]: the numbers 0 to n - 1 in random order. */
export function randomPermutation(n: number): Tensor {
  return defaultState.leaf('int64', [n], (_stream, _call, lane) =>
    BigInt64Array.from(defaultState.generator(lane).permutation(n), (value) => BigInt(value)),
  )
}

/** Zeroes elements with probability p and scales the others by 1 / (1 - p); nothing in evaluation. */
export function dropout(x: Operand, p: number, options: { readonly training?: boolean } = {}): Tensor {
  const input = toTensor(x)
  checked(() => checkProbability('dropout', p))
  if (p === 0 || options.training === false) return input
  if (p === 1) return mul(input, 0)
  const kept = cast(randomBernoulli(input.shape, 1 - p), 'float32')
  return mul(mul(input, kept), 1 / (1 - p))
}
