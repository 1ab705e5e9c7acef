/**
 * Where random tensors draw from: a stream that depends only on the seed, the number of the call and the place of the draw
 * in the graph. The number of the call is a variable: a checkpoint that holds it continues the stream exactly.
 */
import { deriveSeed, Generator, RandomStream } from '../util/random.ts'
import type { DType, TypedArray } from './dtype.ts'
import { checkShape, type Shape } from './shape.ts'
import { type Feed, Tensor } from './tensor.ts'
import { Variable } from './variable.ts'

/** What a draw is a function of. */
interface DrawContext {
  readonly stream: RandomStream
  readonly call: bigint
  /** Which of the draws of one call. */
  readonly lane: number
  /** For draws that the stream has no form for; a function of the same three numbers. */
  readonly generator: () => Generator
}

/** Makes `count` numbers. */
export type Draw = (context: DrawContext, count: number) => TypedArray

/** A stream of random numbers and where it stands. */
export class RandomState {
  /** How many calls of compiled functions have drawn from the stream so far. */
  readonly calls = new Variable([], { dtype: 'int64', name: 'random.calls' })
  #base: number | bigint
  /** Of this process. */
  #seed: number | bigint
  #stream: RandomStream

  constructor(seed: number | bigint) {
    this.#base = seed
    this.#seed = seed
    this.#stream = new RandomStream(seed)
  }

  /** Starts again with another seed; compiled functions that draw from this state follow. */
  reseed(seed: number | bigint): void {
    this.#base = seed
    this.useRank(0)
    this.calls.set([0])
  }

  /** Draws the numbers of one of several processes: those of rank 0 are the ones of the seed. The number of the call stays. */
  useRank(rank: number): void {
    this.#seed = rank === 0 ? this.#base : deriveSeed(this.#base, 'rank', rank)
    this.#stream = new RandomStream(this.#seed)
  }

  /** What a checkpoint holds. */
  get variables(): ReadonlyMap<string, Variable> {
    return new Map([['calls', this.calls]])
  }

  /** A tensor whose elements `draw` supplies at each call. */
  draw(dtype: DType, shape: Shape, draw: Draw): Tensor {
    checkShape('random', shape)
    const feed: Feed = {
      pull: (lane, count) => {
        const [stream, call] = [this.#stream, this.#call]
        const generator = (): Generator => new Generator(deriveSeed(this.#seed, 'call', call, lane))
        return draw({ stream, call, lane, generator }, count)
      },
      advance: this.#advance,
      retreat: this.#retreat,
    }
    return new Tensor(dtype, shape, { kind: 'feed', feed })
  }

  get #call(): bigint {
    return BigInt(this.calls.data[0] ?? 0)
  }

  // One function for all draws of this state: a call advances it once.
  readonly #advance = (): void => this.calls.set([Number(this.#call + 1n)])
  readonly #retreat = (): void => this.calls.set([Number(this.#call - 1n)])
}

const defaultState = new RandomState(0)
let generator = new Generator(0)

/** The state that random functions draw from unless given another. */
export function randomState(): RandomState {
  return defaultState
}

/** The generator that the initialisers of `nn.init` draw from unless given another. */
export function defaultGenerator(): Generator {
  return generator
}

/**
 * Restarts all random numbers, those of initialisers and those of random functions: equal seeds, models and calls give equal
 * numbers, in Node and in the browser. Default seed: 0.
 */
export function manualSeed(seed: number | bigint): void {
  generator = new Generator(seed)
  defaultState.reseed(seed)
}
