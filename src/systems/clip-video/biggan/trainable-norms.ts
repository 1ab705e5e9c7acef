/** The norms of BigGAN-deep's generator in training, with the names and styles of ajbrock/BigGAN-PyTorch (layers.py). */
import { init, type Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Variable } from '../../../tensor/variable.ts'
import type { LayerMaker, SNLinear } from './spectral-layers.ts'

/** How the generator's norms are made. */
export interface NormSettings {
  /** Of the blocks; that of the output is 1e-5 whatever this is. */
  readonly BN_eps: number
  /** "bn": by the batch; "in": each picture by itself; "gn", "gn_grp_G", "gn_ch_C": by groups; "nonorm". */
  readonly norm_style: string
  /** The official code's own batch norm in the place of any style: its running variance is the biased one. */
  readonly mybn: boolean
  /** The synchronised batch norm in the place of both, as it is on one device. Default: false. */
  readonly cross_replica?: boolean
}

/** Running means and variances [C] of the channels, by which a norm works in evaluation. */
class RunningStatistics extends Module {
  readonly stored_mean: Variable
  readonly stored_var: Variable
  /** Batches in standing statistics, which training does not make; `mybn` alone has it. */
  readonly accumulation_counter: Variable | undefined
  readonly #eps: number
  readonly #kind: 'bn' | 'in' | 'mybn'

  constructor(channels: number, eps: number, kind: 'bn' | 'in' | 'mybn') {
    super()
    this.stored_mean = init.buffer([channels], init.zeros)
    this.stored_var = init.buffer([channels], init.ones)
    this.accumulation_counter = kind === 'mybn' ? init.buffer([1], init.zeros) : undefined
    this.#eps = eps
    this.#kind = kind
  }

  /** x [N, C, H, W] -> [N, C, H, W]: in training by its own statistics, toward which the running ones move by a tenth. */
  forward(x: Tensor, training: boolean, affine: Pick<ops.NormOptions, 'weight' | 'bias'> = {}): Tensor {
    const { stored_mean, stored_var } = this
    const options = { ...affine, eps: this.#eps }
    if (!training) return ops.batchNorm(x, stored_mean, stored_var, options)
    if (this.#kind === 'in') {
      this.#moveToward(ops.mean(x, [0, 2, 3]), ops.mean(ops.variance(x, [2, 3]), 0))
      return ops.instanceNorm(x, options)
    }
    if (this.#kind === 'mybn') {
      const mean = ops.mean(x, [0, 2, 3])
      const variance = ops.sub(ops.mean(ops.mul(x, x), [0, 2, 3]), ops.mul(mean, mean)) // as manual_bn has it
      this.#moveToward(mean, variance)
      return ops.batchNorm(x, mean, variance, options)
    }
    const { output, runningMean, runningVar } = ops.batchNormTrain(x, stored_mean, stored_var, options)
    stored_mean.assign(ops.stopGradient(runningMean))
    stored_var.assign(ops.stopGradient(runningVar))
    return output
  }

  #moveToward(mean: Tensor, variance: Tensor): void {
    const moved = (old: Variable, found: Tensor): Tensor =>
      ops.add(ops.mul(old, 0.9), ops.mul(ops.stopGradient(found), 0.1))
    this.stored_mean.assign(moved(this.stored_mean, mean))
    this.stored_var.assign(moved(this.stored_var, variance))
  }
}

/** The official code's synchronised batch norm on one device: PyTorch's, but that batches are not counted, and that the gain is added. */
class SynchronizedNorm extends Module {
  readonly running_mean: Variable
  readonly running_var: Variable
  readonly num_batches_tracked: Variable
  readonly #statistics: RunningStatistics

  constructor(channels: number, eps: number) {
    super()
    this.#statistics = new RunningStatistics(channels, eps, 'bn')
    this.running_mean = this.#statistics.stored_mean
    this.running_var = this.#statistics.stored_var
    this.num_batches_tracked = new Variable([], { dtype: 'int64' })
  }

  /** x [N, C, H, W], gain and bias [N or 1, C, 1, 1] -> [N, C, H, W]. */
  forward(x: Tensor, training: boolean, gain: Tensor, bias: Tensor): Tensor {
    return ops.add(ops.add(this.#statistics.forward(x, training), gain), bias)
  }
}

type NormKind = 'bn' | 'in' | 'mybn' | 'synchronized'

/** A norm that keeps statistics: in its own fields, or in those of another norm below it. */
abstract class StatisticsNorm extends Module {
  readonly bn: RunningStatistics | SynchronizedNorm | undefined
  readonly stored_mean: Variable | undefined
  readonly stored_var: Variable | undefined
  readonly #statistics: RunningStatistics | undefined

  constructor(channels: number, eps: number, kind: NormKind | undefined) {
    super()
    if (kind === 'synchronized') {
      this.bn = new SynchronizedNorm(channels, eps)
      return
    }
    const statistics = kind && new RunningStatistics(channels, eps, kind)
    this.#statistics = statistics
    if (kind === 'mybn') {
      this.bn = statistics
    } else {
      this.stored_mean = statistics?.stored_mean
      this.stored_var = statistics?.stored_var
    }
  }

  /** With a gain and a bias [N or 1, C, 1, 1] on one device of several; undefined for the other norms. */
  protected synchronized(x: Tensor, gain: Tensor, bias: Tensor): Tensor | undefined {
    return this.bn instanceof SynchronizedNorm ? this.bn.forward(x, this.training, gain, bias) : undefined
  }

  /** Undefined for a norm without statistics. */
  protected byStatistics(x: Tensor, affine?: Pick<ops.NormOptions, 'weight' | 'bias'>): Tensor | undefined {
    return this.#statistics?.forward(x, this.training, affine)
  }
}

function kindOf({ mybn, norm_style, cross_replica = false }: NormSettings): NormKind | undefined {
  if (cross_replica) return 'synchronized'
  if (mybn) return 'mybn'
  return norm_style === 'bn' || norm_style === 'in' ? norm_style : undefined
}

/** A norm whose gain and bias follow from the condition. */
export class ConditionalNorm extends StatisticsNorm {
  readonly gain: SNLinear | Linear
  readonly bias: SNLinear | Linear
  readonly #style: string

  constructor(channels: number, conditions: number, { linear }: LayerMaker, settings: NormSettings) {
    super(channels, settings.BN_eps, kindOf(settings))
    this.gain = linear(conditions, channels, false)
    this.bias = linear(conditions, channels, false)
    this.#style = settings.norm_style
  }

  /** x [N, C, H, W], condition [N, D] -> [N, C, H, W]. */
  forward(x: Tensor, condition: Tensor): Tensor {
    const perChannel = (t: Tensor): Tensor => ops.reshape(t, [...t.shape, 1, 1])
    const gain = perChannel(ops.add(this.gain.forward(condition), 1))
    const bias = perChannel(this.bias.forward(condition))
    const synchronized = this.synchronized(x, gain, bias)
    if (synchronized) return synchronized
    const normalized = this.byStatistics(x) ?? this.#withoutStatistics(x)
    return ops.add(ops.mul(normalized, gain), bias)
  }

  #withoutStatistics(x: Tensor): Tensor {
    return this.#style === 'nonorm' ? x : ops.groupNorm(x, groupsOf(this.#style, x.sizes(4)[1]))
  }
}

/** Groups of a style "gn" (16), "gn_grp_8" (8) or "gn_ch_8" (of 8 channels). */
function groupsOf(style: string, channels: number): number {
  const number = Number(style.split('_').at(-1))
  if (style.includes('ch')) return Math.max(1, Math.floor(channels / number))
  return style.includes('grp') ? number : 16
}

/** A batch norm with a gain and a bias of its own. */
export class OutputNorm extends StatisticsNorm {
  readonly gain: Variable
  readonly bias: Variable

  constructor(channels: number, settings: NormSettings) {
    super(channels, 1e-5, kindOf({ ...settings, norm_style: 'bn' }))
    this.gain = init.parameter([channels], init.ones)
    this.bias = init.parameter([channels], init.zeros)
  }

  /** x [N, C, H, W] -> [N, C, H, W]. */
  forward(x: Tensor): Tensor {
    const [gain, bias] = [this.gain, this.bias]
    const perChannel = (variable: Variable): Tensor => ops.reshape(variable, [1, -1, 1, 1])
    return this.synchronized(x, perChannel(gain), perChannel(bias)) ?? this.byStatistics(x, { weight: gain, bias }) ?? x
  }
}
