import { gradient } from '../autodiff/gradient.ts'
import * as ops from '../ops/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { copyState, type LoadOptions, loadState, type StateDifference } from '../tensor/state-dict.ts'
import { Tensor } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { UsageError } from '../util/errors.ts'
import { clipGradNorm, clipGradValue } from './clip.ts'
import type { Schedule } from './schedules.ts'

/** Parameters with settings of their own. */
export interface ParameterGroup {
  readonly parameters: readonly Variable[]
  /** A factor on the optimizer's learning rate. Default: 1. */
  readonly lrScale?: number
  /** Default: the optimizer's. */
  readonly weightDecay?: number
}

export interface OptimizerOptions {
  /** A number, or a function of the update's number (0, 1, ...). */
  readonly lr: number | Schedule
  readonly weightDecay?: number
  /** Ascend instead of descending. Default: false. */
  readonly maximize?: boolean
}

export interface MinimizeOptions {
  /** Largest norm of all gradients together. */
  readonly clipNorm?: number
  /** Largest absolute value of a gradient's element. */
  readonly clipValue?: number
}

/** One parameter with what its update needs. */
export interface UpdateContext {
  readonly parameter: Variable
  readonly gradient: Tensor
  /** Learning rate of this call, a scalar fed by the host. */
  readonly lr: Tensor
  readonly weightDecay: number
}

/**
 * Base of the optimizers. Inside a compiled function `minimize(loss)` records the gradients and the new values of all
 * parameters. Learning rate and bias corrections are computed on the host in float64, so a schedule never retraces.
 */
export abstract class Optimizer {
  /** Updates made so far; a checkpoint holds it. */
  readonly steps = new Variable([], { dtype: 'int64', name: 'steps' })
  readonly #groups: readonly ParameterGroup[]
  readonly #options: OptimizerOptions
  readonly #states = new Map<string, Variable>()
  /** The host's scalars of the update that is being recorded. */
  readonly #feeds = new Map<string, Tensor>()

  constructor(parameters: readonly Variable[] | readonly ParameterGroup[], options: OptimizerOptions) {
    const isGroups = parameters.some((entry) => !(entry instanceof Variable))
    this.#groups = isGroups
      ? (parameters as readonly ParameterGroup[])
      : [{ parameters: parameters as readonly Variable[] }]
    this.#options = options
    if (this.parameters.length === 0)
      throw new UsageError('optimizer: there are no parameters to train', { hint: 'pass model.parameters()' })
  }

  get parameters(): Variable[] {
    return this.#groups.flatMap((group) => group.parameters)
  }

  /** The learning rate of the coming update. */
  get lr(): number {
    const { lr } = this.#options
    return typeof lr === 'number' ? lr : lr(Number(this.steps.data[0]))
  }

  /** Gradients of the loss, in the order of `parameters`. */
  gradients(loss: Tensor): Tensor[] {
    return gradient(loss, this.parameters)
  }

  /** Records gradients and update. Returns the norm of all gradients before clipping, if it was asked to clip by it. */
  minimize(loss: Tensor, options: MinimizeOptions = {}): { readonly gradientNorm?: Tensor } {
    let gradients = this.gradients(loss)
    if (options.clipValue !== undefined) gradients = clipGradValue(gradients, options.clipValue)
    if (options.clipNorm === undefined) {
      this.update(gradients)
      return {}
    }
    const { clipped, norm } = clipGradNorm(gradients, options.clipNorm)
    this.update(clipped)
    return { gradientNorm: norm }
  }

  /** Records the new values of the parameters from given gradients, in the order of `parameters`. */
  update(gradients: readonly Tensor[]): void {
    this.#feeds.clear()
    const lr = this.feed('lr', () => this.lr)
    let next = 0
    for (const group of this.#groups) {
      const scaled = group.lrScale === undefined ? lr : ops.mul(lr, group.lrScale)
      for (const parameter of group.parameters) {
        const given = gradients[next++]
        if (!given)
          throw new UsageError(
            `optimizer: ${this.parameters.length} parameters need as many gradients, found ${gradients.length}`,
          )
        const direction = this.#options.maximize ? ops.neg(given) : given
        const weightDecay = group.weightDecay ?? this.#options.weightDecay ?? 0
        parameter.assign(this.apply({ parameter, gradient: direction, lr: scaled, weightDecay }))
      }
    }
  }

  /** The parameter's new value. Assigns the optimizer's own variables. */
  protected abstract apply(context: UpdateContext): Tensor

  /** A scalar computed on the host for each call, one per name; `steps` counts the updates before it. */
  protected feed(name: string, value: (steps: number) => number): Tensor {
    const known = this.#feeds.get(name)
    if (known) return known
    const leaf = new Tensor('float32', [], {
      kind: 'feed',
      feed: {
        pull: () => Float32Array.of(value(Number(this.steps.data[0]))),
        advance: this.#advance,
        retreat: this.#retreat,
      },
    })
    this.#feeds.set(name, leaf)
    return leaf
  }

  readonly #advance = (): void => this.#move(1n)
  readonly #retreat = (): void => this.#move(-1n)

  #move(by: bigint): void {
    this.steps.data[0] = BigInt(this.steps.data[0] ?? 0) + by
  }

  /** A variable of the parameter's shape (or a given one), made at first use; it starts at zero. */
  protected state(kind: string, parameter: Variable): Variable {
    const name = `${kind}.${this.#nameOf(parameter)}`
    const known = this.#states.get(name)
    if (known) return known
    const variable = new Variable(parameter.shape, { name })
    this.#states.set(name, variable)
    return variable
  }

  /** The parameter's name; its number where it has none, or shares it (parameters of several models). */
  #nameOf(parameter: Variable): string {
    const { parameters } = this
    const unique = parameters.filter(({ name }) => name === parameter.name).length === 1
    return parameter.name && unique ? parameter.name : String(parameters.indexOf(parameter))
  }

  /** Kinds of `state` that the optimizer keeps for each parameter. */
  protected abstract readonly kinds: readonly string[]

  /** Everything a checkpoint needs, by name. */
  variables(): Map<string, Variable> {
    const states = this.kinds.flatMap((kind) => this.parameters.map((parameter) => this.state(kind, parameter)))
    return new Map([this.steps, ...states].map((variable) => [variable.name, variable]))
  }

  stateDict(): Map<string, NDArray> {
    return copyState(this.variables())
  }

  loadStateDict(state: ReadonlyMap<string, NDArray>, options: LoadOptions = {}): StateDifference {
    return loadState(this.constructor.name, this.variables(), state, options)
  }
}
