/** RedNet's block and stage (section 3.4): ResNet's bottleneck with an involution in place of its 3x3 convolution. */
import { ConvModule, type ConvModuleOptions } from '../../nn/conv-module.ts'
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  freeze,
  Involution,
  init,
  type Layer,
  Module,
  Sequential,
} from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import type { BlockConfig, NormConfig } from './config.ts'

/** Options of a batch norm as tenfold has them. */
function normOptions({ eps = 1e-5, momentum = 0.1 }: NormConfig = {}): { eps: number; momentum: number } {
  return { eps, momentum }
}

/** A batch norm by its official configuration. */
export function batchNorm(channels: number, config: NormConfig = {}): BatchNorm2d {
  const norm = new BatchNorm2d(channels, normOptions(config))
  if (config.requires_grad === false) freeze(norm)
  return norm
}

/** mmcv's ConvModule by its official configuration of the norm; without one the convolution has a bias and no norm. */
export function convModule(
  from: number,
  to: number,
  kernel: number,
  { norm_cfg, ...options }: Omit<ConvModuleOptions, 'norm'> & { readonly norm_cfg?: NormConfig | undefined },
): ConvModule {
  const made = new ConvModule(from, to, kernel, { ...options, ...(norm_cfg && { norm: normOptions(norm_cfg) }) })
  if (made.bn && norm_cfg?.requires_grad === false) freeze(made.bn)
  return made
}

function conv1x1(from: number, to: number, stride = 1): Conv2d {
  return new Conv2d(from, to, 1, {
    stride,
    bias: false,
    initWeight: (shape) => init.kaimingNormal(shape, { mode: 'fanOut', nonlinearity: 'relu' }),
  })
}

/** The shortcut around a block; undefined where the shape stays the same. */
function shortcut(from: number, to: number, stride: number, config: BlockConfig): Sequential | undefined {
  if (from === to && stride === 1) return undefined
  const averages = config.avg_down === true && stride !== 1
  return new Sequential(
    ...(averages ? [new AvgPool2d(stride, { stride, ceilMode: true, countIncludePad: false })] : []),
    conv1x1(from, to, averages ? 1 : stride),
    batchNorm(to, config.norm_cfg),
  )
}

/** 1x1 convolution, involution, 1x1 convolution to `expansion` times as many channels, with batch norms, added to the input. */
class Bottleneck extends Module {
  readonly conv1: Conv2d
  readonly bn1: BatchNorm2d
  readonly conv2: Involution
  readonly bn2: BatchNorm2d
  readonly conv3: Conv2d
  readonly bn3: BatchNorm2d
  readonly downsample: Layer | undefined

  constructor(from: number, to: number, expansion: number, stride: number, config: BlockConfig = {}) {
    super()
    if (to % expansion !== 0)
      throw new UsageError(`Bottleneck: out_channels must be a multiple of expansion = ${expansion}, found ${to}`)
    const { norm_cfg, style = 'pytorch', zero_init_residual = true } = config
    const { kernel_size = 7, group_channels = 16, reduction_ratio = 4 } = config.involution ?? {}
    const width = to / expansion
    this.conv1 = conv1x1(from, width, style === 'caffe' ? stride : 1)
    this.bn1 = batchNorm(width, norm_cfg)
    this.conv2 = new Involution(width, kernel_size, style === 'pytorch' ? stride : 1, {
      groupChannels: group_channels,
      reductionRatio: reduction_ratio,
    })
    this.bn2 = batchNorm(width, norm_cfg)
    this.conv3 = conv1x1(width, to)
    this.bn3 = batchNorm(to, norm_cfg)
    if (zero_init_residual) this.bn3.weight?.set(new Float32Array(to))
    this.downsample = shortcut(from, to, stride, config)
  }

  /** x [N, from, H, W] -> [N, to, H / stride, W / stride]. */
  forward(x: Tensor): Tensor {
    const y = ops.relu(this.bn1.forward(this.conv1.forward(x)))
    const z = ops.relu(this.bn2.forward(this.conv2.forward(y)))
    return ops.relu(ops.add(this.bn3.forward(this.conv3.forward(z)), this.downsample?.forward(x) ?? x))
  }
}

/** A stage: blocks of which the first has the stride and changes the channels. */
export function resLayer(
  blocks: number,
  from: number,
  to: number,
  expansion: number,
  stride: number,
  config: BlockConfig = {},
): Sequential {
  const block = (_: unknown, i: number): Bottleneck =>
    new Bottleneck(i === 0 ? from : to, to, expansion, i === 0 ? stride : 1, config)
  return new Sequential(...Array.from({ length: blocks }, block))
}
