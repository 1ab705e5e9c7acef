/** The settings that recipes share: how weights are updated, how long training is. Each recipe gives its own defaults. */
import { z } from 'zod'
import type { LoopOptions } from '../train/loop.ts'
import { count, share, whole } from '../train/settings.ts'
import type { MetricDescriptions } from './define.ts'

const optimizerNames = ['adamw', 'adam', 'sgd', 'lamb', 'lars'] as const
const schedules = ['cosine', 'linear', 'constant', 'inverse_sqrt', 'epoch_cosine', 'epoch_steps'] as const
const decayed = ['all', 'matrices'] as const

/** What a recipe says of its optimizer; what is left out is as in `optimizerSettings`. */
export interface OptimizerDefaults {
  readonly name?: (typeof optimizerNames)[number]
  readonly lr: number
  readonly schedule?: (typeof schedules)[number]
  readonly warmup_steps?: number
  readonly warmup_share?: number
  /** Default: 0. */
  readonly warmup_ratio?: number
  readonly weight_decay?: number
  readonly decayed?: (typeof decayed)[number]
  readonly clip_norm?: number
  readonly betas?: readonly [number, number]
  readonly eps?: number
  /** Default: 0, no average. */
  readonly ema_decay?: number
  /** Default: false. */
  readonly nesterov?: boolean
}

/**
 * How weights are updated. Defaults: AdamW, half a cosine after no warm-up, weight decay 0.01 of all parameters, gradients clipped to
 * norm 1, betas 0.9 and 0.999, eps 1e-8, momentum 0.9, no average of the weights.
 */
export function optimizerSettings(defaults: OptimizerDefaults) {
  const { lr, name = 'adamw', schedule = 'cosine', weight_decay = 0.01, eps = 1e-8, betas = [0.9, 0.999] } = defaults
  const beta = z.number().min(0).lt(1)
  return z.strictObject({
    name: z
      .enum(optimizerNames)
      .default(name)
      .describe(`the optimizer: ${optimizerNames.join(', ')}`),
    lr: z.number().positive().default(lr).describe('learning rate after the warm-up'),
    schedule: z
      .enum(schedules)
      .default(schedule)
      .describe(
        'after the warm-up: along half a cosine or a line down to 0, constant, or 1 / sqrt(step); the same in each epoch (mmcv): half a cosine, or a tenth after 8 of 12 and again after 11 of 12 epochs',
      ),
    warmup_steps: count.default(defaults.warmup_steps ?? 0).describe('steps in which the learning rate rises'),
    warmup_ratio: share.default(defaults.warmup_ratio ?? 0).describe('where it begins, as a share of its full value'),
    warmup_share: share
      .default(defaults.warmup_share ?? 0)
      .describe('the same as a share of all steps, where warmup_steps is 0'),
    weight_decay: z.number().min(0).default(weight_decay).describe('of the weights, times the learning rate'),
    decayed: z
      .enum(decayed)
      .default(defaults.decayed ?? 'all')
      .describe('which parameters decay: all; or matrices and kernels, not biases and norms'),
    clip_norm: z
      .number()
      .min(0)
      .default(defaults.clip_norm ?? 1)
      .describe('largest norm of all gradients together; 0: not clipped'),
    betas: z
      .tuple([beta, beta])
      .default([...betas])
      .describe('of adamw, adam and lamb'),
    eps: z.number().positive().default(eps).describe('of adamw, adam and lamb'),
    momentum: z.number().min(0).lt(1).default(0.9).describe('of sgd and lars'),
    nesterov: z
      .boolean()
      .default(defaults.nesterov ?? false)
      .describe("of sgd and lars: Nesterov's momentum, which looks ahead"),
    ema_decay: z
      .number()
      .min(0)
      .lt(1)
      .default(defaults.ema_decay ?? 0)
      .describe('use an average of the weights, of which each step keeps this share, like 0.999; 0: the weights'),
  })
}

export type OptimizerSettings = z.infer<ReturnType<typeof optimizerSettings>>

/** What a recipe says of its training. */
export interface TrainDefaults {
  readonly epochs: number
  readonly batch_size: number
  /** Default: after each epoch only. */
  readonly evaluate_every?: number
  /** Default: 100. */
  readonly checkpoint_every?: number
  /** Metrics of an evaluation that may decide what is better; the first is the default. */
  readonly monitor: readonly [string, ...string[]]
}

/** How long training is, how often it is evaluated, and what it keeps. */
export function trainSettings({
  epochs,
  batch_size,
  evaluate_every = 0,
  checkpoint_every = 100,
  monitor,
}: TrainDefaults) {
  return z.strictObject({
    epochs: whole.default(epochs).describe('passes over the training data'),
    batch_size: whole.default(batch_size).describe('examples in a step'),
    evaluate_every: count
      .default(evaluate_every)
      .describe('steps between evaluations, beside the one after each epoch; 0: none'),
    checkpoint_every: whole.default(checkpoint_every).describe('steps between checkpoints'),
    keep_checkpoints: whole.default(2).describe('numbered checkpoints kept, beside the best'),
    patience: count.default(0).describe('stop after so many evaluations without a better one; 0: never'),
    monitor: z.enum(monitor).default(monitor[0]).describe('the test metric that says which is better'),
  })
}

export type TrainSettings = z.infer<ReturnType<typeof trainSettings>>

/** The settings as the training loop takes them; whether the monitored metric is to rise is said where metrics are described. */
export function loopOptions(train: TrainSettings, metrics: MetricDescriptions): Omit<LoopOptions, 'signal' | 'steps'> {
  return {
    epochs: train.epochs,
    ...(train.evaluate_every > 0 && { evaluateEvery: train.evaluate_every }),
    checkpointEvery: train.checkpoint_every,
    keepCheckpoints: train.keep_checkpoints,
    monitor: { metric: train.monitor, goal: metrics[train.monitor]?.goal ?? 'min' },
    ...(train.patience > 0 && { patience: train.patience }),
  }
}
