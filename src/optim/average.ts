import * as ops from '../ops/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { copyState, type LoadOptions, loadState, type StateDifference } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { fetchVariables, Variable } from '../tensor/variable.ts'
import { optionsOf, requireFlag, shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { UpdateCounter } from './counter.ts'
import { parameterNames } from './parameter-names.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'
import { requireVariables } from './settings.ts'

export interface AverageOptions {
  /** Share of the old average that is kept, or a schedule of it by the number of the update (0, 1, ...). */
  readonly decay: Scheduled
  /** Keep less at first: min(decay, (1 + k) / (10 + k)) at update k. Default: false. */
  readonly warmup?: boolean
  /**
   * Variables that hold the averages, in the order of the parameters: those of a second model, which then always is the averaged
   * one. Its owner saves them. Default: new ones, which `variables` names.
   */
  readonly averages?: readonly Variable[]
}

/**
 * Records averages = kept * averages + (1 - kept) * weights, one by one, toward the values that the weights have at this point of the
 * trace. kept: a number or a scalar.
 */
export function moveToward(averages: readonly Variable[], weights: readonly Variable[], kept: Tensor | number): void {
  const added = ops.sub(1, kept)
  for (const [i, average] of averages.entries()) {
    const weight = weights[i]
    if (weight) average.assign(ops.add(ops.mul(average, kept), ops.mul(weight, added)))
  }
}

/**
 * The average of a model's weights in those of a second one of the same kind, which have the same names; it keeps less at first. Whole numbers
 * and frozen weights are equal in both and stay.
 */
export function averageInto(
  copies: ReadonlyMap<string, Variable>,
  weights: ReadonlyMap<string, Variable>,
  decay: Scheduled,
): ExponentialMovingAverage {
  const moving = [...weights].filter(([, { dtype, frozen }]) => dtype === 'float32' && !frozen)
  return new ExponentialMovingAverage(
    moving.map(([, variable]) => variable),
    { decay, warmup: true, averages: moving.flatMap(([name]) => copies.get(name) ?? []) },
  )
}

const optionNames = { decay: true, warmup: true, averages: true } as const

/**
 * Exponential moving average of weights: average = d * average + (1 - d) * weight, beginning as a copy of the weights.
 * `update` is called inside the traced step, after the optimizer's. State: `updates` and `average.<parameter name>`.
 */
export class ExponentialMovingAverage {
  /** The averaged variables, in the order of `averages`. */
  readonly parameters: readonly Variable[]
  readonly averages: readonly Variable[]
  readonly #options: AverageOptions
  readonly #counter = new UpdateCounter('ExponentialMovingAverage', 'updates')
  #swapped = false

  constructor(parameters: readonly Variable[], options: AverageOptions) {
    requireVariables('ExponentialMovingAverage', parameters)
    const wrong = parameters.find((parameter) => parameter.dtype !== 'float32')
    if (wrong) {
      throw new UsageError(
        `ExponentialMovingAverage: variables must be float32, ${wrong.name || 'one'} is ${wrong.dtype}`,
      )
    }
    const given = optionsOf('ExponentialMovingAverage', options, optionNames, UsageError)
    const { decay, warmup = false } = given
    if (typeof decay !== 'function' && !(typeof decay === 'number' && decay >= 0 && decay <= 1))
      throw new UsageError(`ExponentialMovingAverage: decay must be in [0, 1], found ${shown(decay)}`)
    requireFlag('ExponentialMovingAverage', 'warmup', warmup, UsageError)
    if (options.averages) requireVariables('ExponentialMovingAverage: averages', options.averages)
    this.#options = options
    this.parameters = [...parameters]
    this.averages = options.averages ?? parameters.map(({ shape }) => new Variable(shape))
    for (const [i, average] of this.averages.entries()) average.set(parameters[i]?.data ?? [])
  }

  /** How many updates were made: an int64 scalar. */
  get updates(): Variable {
    return this.#counter.count
  }

  /** The decay of update k. */
  decay(k: number): number {
    const decay = scheduledValue(this.#options.decay, k)
    return this.#options.warmup ? Math.min(decay, (1 + k) / (10 + k)) : decay
  }

  /** Records one update of the averages toward the values that the variables have at this point of the trace. */
  update(): void {
    const kept = this.#counter.advance()((k) => this.decay(k))
    moveToward(this.averages, this.parameters, kept)
  }

  /** Exchanges averages and weights, on the host, where their numbers must be (`fetchVariables`); a second call undoes the first. */
  swap(): void {
    for (const [i, average] of this.averages.entries()) {
      const parameter = this.parameters[i]
      if (!parameter) continue
      const weights = parameter.data.slice()
      parameter.set(average.data)
      average.set(weights)
    }
    this.#swapped = !this.#swapped
  }

  /** Runs `body`, for instance an evaluation, with the averages in place of the weights. */
  async withAverages<T>(body: () => Promise<T>): Promise<T> {
    if (this.#swapped) return body()
    await this.#fetch()
    this.swap()
    try {
      return await body()
    } finally {
      await this.#fetch()
      this.swap()
    }
  }

  #fetch(): Promise<void> {
    return fetchVariables([...this.averages, ...this.parameters])
  }

  /** What a checkpoint holds, by name. */
  variables(): Map<string, Variable> {
    const names = parameterNames(this.parameters)
    const { count } = this.#counter
    const named = new Map([[count.name, count]])
    if (this.#options.averages) return named
    for (const [i, average] of this.averages.entries()) {
      average.name = `average.${names[i]}`
      named.set(average.name, average)
    }
    return named
  }

  /** Copies of the numbers of `variables()`. */
  stateDict(): Map<string, NDArray> {
    return copyState(this.variables())
  }

  /** Copies numbers in. Throws a ShapeError that names what does not fit. */
  loadStateDict(state: ReadonlyMap<string, NDArray>, options?: LoadOptions): StateDifference {
    return loadState('ExponentialMovingAverage', this.variables(), state, options)
  }
}
