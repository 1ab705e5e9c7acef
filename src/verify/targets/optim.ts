/** Targets of the optimizer cases: trajectories of weights, clipped gradients, learning rates, averages. */

import { compile } from '../../compile/compile.ts'
import * as optim from '../../optim/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { FormatError } from '../../util/errors.ts'
import { copyOf } from '../arrays.ts'
import { CaseTensors, refuseUnread, SettingsReads } from '../reads.ts'
import {
  booleanSetting,
  choiceSetting,
  fixedSetting,
  numberSetting,
  numbersSetting,
  requiredTensor,
  rowAt,
  type Settings,
  withoutEffect,
} from '../target.ts'

/** An entry of the `cases` list of an optimizer case. */
export interface OptimEntry {
  readonly name: string
  readonly op: string
  readonly args: Settings
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Computes the outputs of an entry, by the full names under which the case stores the expected ones. */
export type OptimTarget = (
  entry: OptimEntry,
  tensors: ReadonlyMap<string, NDArray>,
) => Promise<ReadonlyMap<string, NDArray>>

/** `prefix0`, `prefix1`, ... as many as there are. */
function tensorList(tensors: ReadonlyMap<string, NDArray>, prefix: string): NDArray[] {
  const list: NDArray[] = []
  for (let next = tensors.get(`${prefix}0`); next; next = tensors.get(`${prefix}${list.length}`)) list.push(next)
  return list
}

/** Arrays of one shape under a new first axis. */
function stack(rows: readonly NDArray[]): NDArray {
  const numbers = rows.flatMap(({ data }) => Array.from(data as Float32Array))
  return { dtype: 'float32', shape: [rows.length, ...(rows[0]?.shape ?? [])], data: Float32Array.from(numbers) }
}

type Make = (parameters: readonly Variable[], settings: Settings) => optim.Optimizer

/** The weights after each step, with the given gradients. */
function trajectory(make: Make): OptimTarget {
  return async ({ name, args }, tensors) => {
    const parameters = tensorList(tensors, `${name}/param/`).map(
      ({ shape, data }) => new Variable(shape, { data: data.slice(), trainable: true }),
    )
    const gradients = tensorList(tensors, `${name}/input/grad.`)
    const optimizer = make(parameters, args)
    const step = compile((given: Tensor[]) => void optimizer.update(given))
    const history: NDArray[][] = parameters.map(() => [])
    const [first] = gradients
    if (!first) throw new FormatError(`the case has no "${name}/input/grad.0"`)
    for (let i = 0; i < sizeOf(first.shape, 0); i++) {
      await step(gradients.map((gradient) => rowAt(gradient, i)))
      for (const [k, parameter] of parameters.entries()) history[k]?.push(copyOf(parameter.array))
    }
    await step.release()
    return new Map(history.map((rows, k) => [`${name}/output/param.${k}`, stack(rows)]))
  }
}

/** Settings that nearly all optimizers have. */
function common(settings: Settings, lr: number, weightDecay = 0) {
  // How PyTorch executes the step, not what it computes.
  withoutEffect(settings, 'foreach', 'fused', 'capturable', 'differentiable')
  return {
    lr: numberSetting(settings, 'lr', lr),
    weightDecay: numberSetting(settings, 'weight_decay', weightDecay),
    maximize: booleanSetting(settings, 'maximize', false),
  }
}

function adam(settings: Settings, weightDecay: number) {
  const [beta1 = 0.9, beta2 = 0.999] = numbersSetting(settings, 'betas', [0.9, 0.999])
  return {
    ...common(settings, 1e-3, weightDecay),
    betas: [beta1, beta2] as const,
    eps: numberSetting(settings, 'eps', 1e-8),
    amsgrad: booleanSetting(settings, 'amsgrad', false),
  }
}

const optimizers: Readonly<Record<string, Make>> = {
  'optim.SGD': (parameters, settings) =>
    new optim.SGD(parameters, {
      ...common(settings, 1e-3),
      momentum: numberSetting(settings, 'momentum', 0),
      dampening: numberSetting(settings, 'dampening', 0),
      nesterov: booleanSetting(settings, 'nesterov', false),
    }),
  'optim.Adam': (parameters, settings) =>
    booleanSetting(settings, 'decoupled_weight_decay', false)
      ? new optim.AdamW(parameters, adam(settings, 0))
      : new optim.Adam(parameters, adam(settings, 0)),
  'optim.AdamW': (parameters, settings) => new optim.AdamW(parameters, adam(settings, 0.01)),
  'optim.Adagrad': (parameters, settings) =>
    new optim.Adagrad(parameters, {
      ...common(settings, 1e-2),
      lrDecay: numberSetting(settings, 'lr_decay', 0),
      initialAccumulatorValue: numberSetting(settings, 'initial_accumulator_value', 0),
      eps: numberSetting(settings, 'eps', 1e-10),
    }),
  'optim.RMSprop': (parameters, settings) =>
    new optim.RMSprop(parameters, {
      ...common(settings, 1e-2),
      alpha: numberSetting(settings, 'alpha', 0.99),
      eps: numberSetting(settings, 'eps', 1e-8),
      momentum: numberSetting(settings, 'momentum', 0),
      centered: booleanSetting(settings, 'centered', false),
    }),
  'optim.LAMB': (parameters, settings) => {
    const { amsgrad: _, ...shared } = adam(settings, 0)
    fixedSetting(settings, 'amsgrad', false)
    return new optim.LAMB(parameters, {
      ...shared,
      eps: numberSetting(settings, 'eps', 1e-6),
      biasCorrection: booleanSetting(settings, 'bias_correction', true),
      clamp: numberSetting(settings, 'clamp', Number.POSITIVE_INFINITY),
    })
  },
  'optim.LARS': (parameters, settings) =>
    new optim.LARS(parameters, {
      ...common(settings, 1e-3),
      momentum: numberSetting(settings, 'momentum', 0.9),
      trustCoefficient: numberSetting(settings, 'trust_coefficient', 0.001),
    }),
}

/** The rates of steps 0, 1, 2, ... */
function rates(make: (lr: number, settings: Settings) => optim.Schedule): OptimTarget {
  return async ({ name, args }) => {
    fixedSetting(args, 'last_epoch', -1)
    const schedule = make(numberSetting(args, 'lr', 1e-3), args)
    const data = Float32Array.from({ length: numberSetting(args, 'steps') }, (_, step) => schedule(step))
    return new Map([[`${name}/output/lr`, { dtype: 'float32', shape: [data.length], data }]])
  }
}

const pytorchSchedules: Readonly<Record<string, (lr: number, settings: Settings) => optim.Schedule>> = {
  ConstantLR: (lr, settings) =>
    optim.constantLR(lr, {
      factor: numberSetting(settings, 'factor', 1 / 3),
      totalIters: numberSetting(settings, 'total_iters', 5),
    }),
  LinearLR: (lr, settings) =>
    optim.linearLR(lr, {
      startFactor: numberSetting(settings, 'start_factor', 1 / 3),
      endFactor: numberSetting(settings, 'end_factor', 1),
      totalIters: numberSetting(settings, 'total_iters', 5),
    }),
  StepLR: (lr, settings) =>
    optim.stepLR(lr, {
      stepSize: numberSetting(settings, 'step_size'),
      gamma: numberSetting(settings, 'gamma', 0.1),
    }),
  MultiStepLR: (lr, settings) =>
    optim.multiStepLR(lr, {
      milestones: numbersSetting(settings, 'milestones'),
      gamma: numberSetting(settings, 'gamma', 0.1),
    }),
  ExponentialLR: (lr, settings) => optim.exponentialLR(lr, { gamma: numberSetting(settings, 'gamma') }),
  PolynomialLR: (lr, settings) =>
    optim.polynomialLR(lr, {
      totalIters: numberSetting(settings, 'total_iters', 5),
      power: numberSetting(settings, 'power', 1),
    }),
  CosineAnnealingLR: (lr, settings) =>
    optim.cosineAnnealingLR(lr, {
      tMax: numberSetting(settings, 'T_max'),
      etaMin: numberSetting(settings, 'eta_min', 0),
    }),
  CosineAnnealingWarmRestarts: (lr, settings) =>
    optim.cosineAnnealingWarmRestarts(lr, {
      t0: numberSetting(settings, 'T_0'),
      tMult: numberSetting(settings, 'T_mult', 1),
      etaMin: numberSetting(settings, 'eta_min', 0),
    }),
  OneCycleLR: (_lr, settings) => {
    // The rates alone are compared.
    withoutEffect(settings, 'cycle_momentum', 'base_momentum', 'max_momentum')
    return optim.oneCycleLR({
      maxLr: numberSetting(settings, 'max_lr'),
      totalSteps: oneCycleSteps(settings),
      pctStart: numberSetting(settings, 'pct_start', 0.3),
      annealStrategy: choiceSetting(settings, 'anneal_strategy', ['cos', 'linear'], 'cos'),
      divFactor: numberSetting(settings, 'div_factor', 25),
      finalDivFactor: numberSetting(settings, 'final_div_factor', 1e4),
      threePhase: booleanSetting(settings, 'three_phase', false),
    })
  },
}

/** PyTorch takes the number of steps, or epochs and the steps in each. */
function oneCycleSteps(settings: Settings): number {
  if (typeof settings.total_steps === 'number') return settings.total_steps
  return numberSetting(settings, 'epochs') * numberSetting(settings, 'steps_per_epoch')
}

function training(settings: Settings) {
  return {
    numWarmupSteps: numberSetting(settings, 'num_warmup_steps'),
    numTrainingSteps: numberSetting(settings, 'num_training_steps'),
  }
}

const transformersSchedules: Readonly<Record<string, (lr: number, settings: Settings) => optim.Schedule>> = {
  get_constant_schedule: (lr) => () => lr,
  get_constant_schedule_with_warmup: (lr, settings) =>
    optim.constantScheduleWithWarmup(lr, { numWarmupSteps: numberSetting(settings, 'num_warmup_steps') }),
  get_linear_schedule_with_warmup: (lr, settings) => optim.linearScheduleWithWarmup(lr, training(settings)),
  get_cosine_schedule_with_warmup: (lr, settings) =>
    optim.cosineScheduleWithWarmup(lr, {
      ...training(settings),
      numCycles: numberSetting(settings, 'num_cycles', 0.5),
    }),
  get_cosine_with_hard_restarts_schedule_with_warmup: (lr, settings) =>
    optim.cosineWithHardRestartsScheduleWithWarmup(lr, {
      ...training(settings),
      numCycles: numberSetting(settings, 'num_cycles', 1),
    }),
  get_inverse_sqrt_schedule: (lr, settings) => {
    const numWarmupSteps = numberSetting(settings, 'num_warmup_steps')
    const timescale = numberSetting(settings, 'timescale', numWarmupSteps || 10_000)
    return optim.inverseSqrtSchedule(lr, { numWarmupSteps, timescale })
  },
  get_polynomial_decay_schedule_with_warmup: (lr, settings) =>
    optim.polynomialDecayScheduleWithWarmup(lr, {
      ...training(settings),
      lrEnd: numberSetting(settings, 'lr_end', 1e-7),
      power: numberSetting(settings, 'power', 1),
    }),
}

/** Clipped gradients, and the norm before if the target gives one. */
function clipping(
  clip: (gradients: readonly Tensor[], settings: Settings) => { gradients: readonly Tensor[]; norm?: Tensor },
): OptimTarget {
  return async ({ name, args }, tensors) => {
    // What PyTorch does where a norm is not finite: the norms here are.
    withoutEffect(args, 'error_if_nonfinite', 'foreach')
    const run = compile((gradients: Tensor[]) => {
      const { gradients: clipped, norm } = clip(gradients, args)
      return { clipped: [...clipped], norm: norm ? [norm] : [] }
    })
    const { clipped, norm } = await run(tensorList(tensors, `${name}/input/grad.`))
    await run.release()
    return new Map([
      ...norm.map((value) => [`${name}/output/total_norm`, value.array] as const),
      ...clipped.map((gradient, i) => [`${name}/output/grad.${i}`, gradient.array] as const),
    ])
  }
}

/** The average after each update. */
const movingAverage: OptimTarget = async ({ name, args }, tensors) => {
  const start = requiredTensor(tensors, `${name}/input/average`)
  const weights = requiredTensor(tensors, `${name}/input/weights`)
  const weight = new Variable(start.shape, { data: start.data.slice() })
  const warmup = args.formula !== undefined && args.formula !== null
  if (warmup) fixedSetting(args, 'formula', 'min(decay, (1+k)/(10+k))')
  const average = new optim.ExponentialMovingAverage([weight], { decay: numberSetting(args, 'decay'), warmup })
  const update = compile(() => average.update())
  const history: NDArray[] = []
  for (let k = 0; k < sizeOf(weights.shape, 0); k++) {
    weight.set(rowAt(weights, k).data)
    await update()
    for (const variable of average.averages) history.push(copyOf(variable.array))
  }
  await update.release()
  return new Map([[`${name}/output/average`, stack(history)]])
}

function mapped<T>(prefix: string, table: Readonly<Record<string, T>>, wrap: (value: T) => OptimTarget) {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [`${prefix}${name}`, wrap(value)]))
}

/** A target that refuses entries with an input or argument that it does not read. */
function readingAll(target: OptimTarget): OptimTarget {
  return async (entry, tensors) => {
    const given = new CaseTensors([...tensors].filter(([name]) => entry.inputs.includes(name)))
    const settings = new SettingsReads()
    const found = await target({ ...entry, args: settings.track(entry.args) }, given)
    refuseUnread([...given.unread(), ...settings.unread()])
    return found
  }
}

/** Targets by the `op` of the entries. */
export const optimTargets: Readonly<Record<string, OptimTarget>> = mapped(
  '',
  {
    ...mapped('', optimizers, trajectory),
    ...mapped('torch.optim.lr_scheduler.', pytorchSchedules, rates),
    ...mapped('transformers.', transformersSchedules, rates),
    'torch.nn.utils.clip_grad_norm_': clipping((gradients, settings) =>
      optim.clipGradNorm(gradients, numberSetting(settings, 'max_norm'), {
        normType: numberSetting(settings, 'norm_type', 2),
      }),
    ),
    'torch.nn.utils.clip_grad_value_': clipping((gradients, settings) => ({
      gradients: optim.clipGradValue(gradients, numberSetting(settings, 'clip_value')),
    })),
    ema: movingAverage,
  },
  readingAll,
)
