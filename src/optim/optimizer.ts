/** The base of all optimizers: groups of parameters, their state, and the update as part of a trace. */
import { gradient } from '../autodiff/gradient.ts'
import { nodesBetween } from '../autodiff/graph.ts'
import { isTensorLike } from '../ops/define.ts'
import * as ops from '../ops/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { copyState, type LoadOptions, loadState, type StateDifference } from '../tensor/state-dict.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { currentTrace, dependOn } from '../tensor/trace.ts'
import { tensorOf, Variable } from '../tensor/variable.ts'
import { optionsOf, requireList, requireOptions, shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { type ClipOptions, clipGradients } from './clipping.ts'
import { UpdateCounter } from './counter.ts'
import { parameterNames } from './parameter-names.ts'
import { type Scheduled, scheduledValue } from './schedule.ts'
import { requireParameters, requireVariables, settingsOf } from './settings.ts'

const clipNames = { clipNorm: true, normType: true, clipValue: true } as const

/** Settings that every optimizer has. */
export interface OptimizerSettings {
  /** Learning rate, or a schedule of it. */
  readonly lr: Scheduled
  /** Go up the gradient instead of down. Default: false. */
  readonly maximize: boolean
}

/** Parameters with settings of their own. A setting that is left out is that of the optimizer's options. */
export type ParameterGroup<S> = Partial<S> & { readonly parameters: readonly Variable[] }

/** What an optimizer is given to optimise: variables, or groups of them. */
export type ParameterList<S> = readonly Variable[] | readonly ParameterGroup<S>[]

/** When an update happens. */
export interface UpdateTime {
  /** The number of updates before this one: 0, 1, 2, ... */
  readonly step: number
  /** The learning rate of this step. */
  readonly lr: number
}

/** Makes a scalar that the host computes, in double precision, before every call of the compiled function. */
export type HostScalar = (compute: (time: UpdateTime) => number) => Tensor

/** One parameter at the moment of its update. */
export interface ParameterUpdate {
  /** Its value, of any shape. */
  readonly weight: Tensor
  /** d loss / d weight, of the same shape. */
  readonly gradient: Tensor
  /** The state of this parameter by name, of the parameter's shape. The rule assigns its next value. */
  readonly state: (slot: string) => Variable
}

/** The mathematics of an optimizer. */
export interface UpdateRule<S> {
  /** What is wrong with the settings; undefined if nothing is. Types and negative numbers have been checked before. */
  readonly complaint?: (settings: S) => string | undefined
  /** The state of each parameter: names and initial values. */
  readonly slots: (settings: S) => Readonly<Record<string, number>>
  /** Prepares the scalars of a group; the function it returns gives the next value of a parameter. */
  readonly prepare: (settings: S, host: HostScalar) => (update: ParameterUpdate) => Tensor
}

/** The weight of a loss among the losses of several processes. */
export interface LossWeight {
  /** A scalar, such as the number of examples that the loss is the mean of. Default: 1. */
  readonly weight?: ops.Operand
}

/** Information about an update. */
export interface UpdateResult {
  /** Norm of all gradients together before clipping; computed only if something uses it. */
  readonly gradientNorm: Tensor
}

interface Group<S> {
  readonly parameters: readonly Variable[]
  readonly settings: S
}

type Preparation = (host: HostScalar) => (update: ParameterUpdate) => Tensor

/** Asked at every call: a parameter may be frozen, or no longer, after the optimizer was made. */
const isFrozen = (parameter: Variable): boolean => dependOn(() => parameter.frozen)

function gradientsOf(loss: Tensor, weight: ops.Operand, parameters: readonly Variable[]): Tensor[] {
  if (!currentTrace()?.ranks) return gradient(loss, parameters)
  // Weighted before it is differentiated: through batch norm the loss of one process reaches the gradients of all.
  const gradients = gradient(ops.mul(loss, weight), parameters)
  const share = ops.div(1, ops.sumOverRanks(weight))
  return gradients.map((found) => ops.mul(ops.sumOverRanks(found), share))
}

/**
 * Base of the optimizers: an update rule applied to parameters. Inside a traced function `minimize(loss)` records
 * gradients and updates. Learning rate and bias corrections are computed on the host, so a schedule never retraces.
 */
export abstract class Optimizer<S extends OptimizerSettings = OptimizerSettings> {
  readonly groups: readonly Group<S>[]
  readonly #counter = new UpdateCounter(this.constructor.name, 'steps')
  readonly #states = new Map<Variable, ReadonlyMap<string, Variable>>()
  readonly #preparations = new Map<Group<OptimizerSettings>, Preparation>()

  constructor(rule: UpdateRule<S>, parameters: ParameterList<S>, defaults: Omit<S, 'lr'>, options: Partial<S>) {
    const name = this.constructor.name
    this.groups = groupsOf(name, parameters, defaults, options)
    checkParameters(name, this.parameters)
    for (const group of this.groups) {
      const complaint = rule.complaint?.(group.settings)
      if (complaint !== undefined) throw new UsageError(`${name}: ${complaint}`)
      this.#preparations.set(group, (host) => rule.prepare(group.settings, host))
      const slots = Object.entries(rule.slots(group.settings))
      for (const parameter of group.parameters) {
        const state = slots.map(([slot, start]) => {
          const data = new Float32Array(parameter.size).fill(start)
          return [slot, new Variable(parameter.shape, { data })] as const
        })
        this.#states.set(parameter, new Map(state))
      }
    }
  }

  /** All parameters, group by group: the order of `gradients` and `update`. */
  get parameters(): readonly Variable[] {
    return this.groups.flatMap((group) => group.parameters)
  }

  /** How many updates were made: an int64 scalar. One count for all parameters, those too that were frozen meanwhile. */
  get steps(): Variable {
    return this.#counter.count
  }

  /** The learning rate of the next update, of the first group. */
  get lr(): number {
    return scheduledValue(this.groups[0]?.settings.lr ?? 0, this.#counter.value)
  }

  /**
   * The gradient of the loss by each parameter, in the order of `parameters`. Where several processes run the function together
   * (`compile`'s communicator), the loss is the mean of their losses, each weighted by `weight`. Default weight: 1, the plain mean.
   * That of a frozen parameter is 0.
   */
  gradients(loss: Tensor, { weight = 1 }: LossWeight = {}): Tensor[] {
    if (!isTensorLike(loss))
      throw new UsageError(`${this.constructor.name}: the loss must be a tensor, found ${shown(loss)}`)
    const values = new Set(this.parameters.flatMap((parameter) => parameter.values))
    const output = tensorOf(this.constructor.name, loss)
    if (!values.has(output) && nodesBetween(values, [output], values).length === 0)
      throw new UsageError(`${this.constructor.name}: the loss depends on none of the ${values.size} parameters`, {
        hint: 'compute it with the model whose parameters the optimizer was given',
      })
    const learning = this.parameters.filter((parameter) => !isFrozen(parameter))
    const found = new Map(gradientsOf(loss, weight, learning).map((each, i) => [learning[i], each]))
    return this.parameters.map((parameter) => found.get(parameter) ?? ops.full(parameter.shape, 0))
  }

  /** Records the update by these gradients, given in the order of `parameters`. They are clipped first if `options` say so. */
  update(gradients: readonly Tensor[], options?: ClipOptions): UpdateResult {
    const { parameters } = this
    requireList(this.constructor.name, 'gradients', gradients, UsageError)
    if (gradients.length !== parameters.length) {
      throw new UsageError(
        `${this.constructor.name}: there must be as many gradients as parameters, ${parameters.length}, found ${gradients.length}`,
      )
    }
    const clip = optionsOf(this.constructor.name, options, clipNames, UsageError)
    const clipped = clipGradients(gradients, clip)
    const gradientOf = new Map(parameters.map((parameter, i) => [parameter, clipped.gradients[i]]))
    const scalar = this.#counter.advance()
    for (const [group, prepare] of this.#preparations) {
      const { maximize, lr } = group.settings
      const updated = prepare((compute) => scalar((step) => compute({ step, lr: scheduledValue(lr, step) })))
      for (const parameter of group.parameters) {
        const found = gradientOf.get(parameter)
        if (!found || isFrozen(parameter)) continue
        parameter.assign(
          updated({
            weight: parameter.value,
            gradient: maximize ? ops.neg(found) : found,
            state: (slot) => this.#state(parameter, slot),
          }),
        )
      }
    }
    return { gradientNorm: clipped.norm }
  }

  /** Records the gradients of the loss, as `gradients` computes them, and the update of all parameters. */
  minimize(loss: Tensor, options?: ClipOptions & LossWeight): UpdateResult {
    const names = { ...clipNames, weight: true } as const
    const { weight, ...clip } = optionsOf(this.constructor.name, options, names, UsageError)
    return this.update(this.gradients(loss, weight === undefined ? {} : { weight }), clip)
  }

  /** `steps` and all state by stable names, like `exp_avg.<parameter name>`: what a checkpoint holds. */
  variables(): Map<string, Variable> {
    const named = new Map([[this.steps.name, this.steps]])
    const names = parameterNames(this.parameters)
    for (const [i, parameter] of this.parameters.entries()) {
      for (const [slot, variable] of this.#states.get(parameter) ?? []) {
        variable.name = `${slot}.${names[i]}`
        named.set(variable.name, variable)
      }
    }
    return named
  }

  /** Copies of the numbers of `variables()`. */
  stateDict(): Map<string, NDArray> {
    return copyState(this.variables())
  }

  /** Copies numbers in; training then continues bit for bit. Throws a ShapeError that names what does not fit. */
  loadStateDict(state: ReadonlyMap<string, NDArray>, options?: LoadOptions): StateDifference {
    return loadState(this.constructor.name, this.variables(), state, options)
  }

  #state(parameter: Variable, slot: string): Variable {
    const variable = this.#states.get(parameter)?.get(slot)
    if (!variable) throw new UsageError(`${this.constructor.name}: its rule declares no state "${slot}"`)
    return variable
  }
}

/** Makes the function that adds the L2 penalty's weightDecay * weight to a gradient; with a weightDecay of 0 it adds nothing. */
export function withWeightDecay(
  weightDecay: Scheduled,
  host: HostScalar,
): (gradient: Tensor, weight: Tensor) => Tensor {
  if (weightDecay === 0) return (gradient) => gradient
  const factor = host(({ step }) => scheduledValue(weightDecay, step))
  return (gradient, weight) => ops.add(gradient, ops.mul(weight, factor))
}

/** A complaint about decay rates that are not in [0, 1), undefined if all are. At 1 an average would never move. */
export function decayComplaint(setting: string, decays: readonly number[]): string | undefined {
  const fits = decays.every((decay) => decay >= 0 && decay < 1)
  return fits ? undefined : `${setting} must be in [0, 1), found ${decays.join(', ')}`
}

function isGroup<S>(entry: Variable | ParameterGroup<S>): entry is ParameterGroup<S> {
  return typeof entry === 'object' && entry !== null && Object.getPrototypeOf(entry) === Object.prototype
}

function groupsOf<S extends object>(
  name: string,
  parameters: ParameterList<S>,
  defaults: object,
  options: Partial<S>,
): Group<S>[] {
  requireParameters(name, parameters)
  if (!parameters.some(isGroup)) {
    requireVariables(name, parameters)
    return [{ parameters: [...parameters] as Variable[], settings: settingsOf(name, defaults, options) }]
  }
  return parameters.map((entry, i) => {
    const owner = `${name}: group ${i}`
    if (!isGroup(entry)) throw new UsageError(`${owner} must be { parameters: [...] }, found ${shown(entry)}`)
    const { parameters: members, ...own } = entry
    requireOptions(owner, entry, ['parameters', 'lr', ...Object.keys(defaults)], UsageError)
    requireVariables(owner, members)
    return { parameters: [...members], settings: settingsOf<S>(name, defaults, { ...options, ...own } as Partial<S>) }
  })
}

function checkParameters(name: string, parameters: readonly Variable[]): void {
  if (parameters.length === 0) {
    throw new UsageError(`${name}: there are no parameters to optimise`, {
      hint: 'pass model.parameters(); frozen ones are not among them, nor those in #private fields',
    })
  }
  const known = new Set<Variable>()
  for (const parameter of parameters) {
    const label = parameter.name || String(parameter.leaf)
    if (known.has(parameter)) throw new UsageError(`${name}: parameter ${label} is listed twice`)
    if (parameter.dtype !== 'float32')
      throw new UsageError(`${name}: parameters must be float32, ${label} is ${parameter.dtype}`)
    known.add(parameter)
  }
}
