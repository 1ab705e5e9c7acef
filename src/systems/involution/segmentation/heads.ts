/** Decoders that give every pixel a class, under mmseg's names: FPNHead (Semantic FPN), UPerHead with its pyramid pooling, FCNHead. */
import { ConvModule } from '../../../nn/conv-module.ts'
import { Conv2d, init, type Layer, Module, Sequential, Upsample } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

const conv = (from: number, to: number, kernel: 1 | 3): ConvModule =>
  new ConvModule(from, to, kernel, { padding: (kernel - 1) / 2, norm: {}, relu: true })

const classConv = (from: number, classes: number): Conv2d =>
  new Conv2d(from, classes, 1, { initWeight: (shape) => init.normal(shape, { std: 0.01 }), initBias: init.zeros })

/** x at the height and width of another map. */
export function resizedTo(x: Tensor, height: number, width: number): Tensor {
  return ops.interpolate(x, [height, width], { mode: 'bilinear', alignCorners: false })
}

const dropoutShare = 0.1

/** Whole channels dropped before the classes are decided. */
function decided(conv_seg: Conv2d, x: Tensor, training: boolean): Tensor {
  return conv_seg.forward(training ? ops.dropout2d(x, dropoutShare) : x)
}

/** Semantic FPN's head (Kirillov et al. 2019): each level of the pyramid brought to the finest in steps of two, then added. */
export class FPNHead extends Module {
  readonly scale_heads: readonly Sequential[]
  readonly conv_seg: Conv2d

  constructor(inChannels: number, channels: number, classes: number, levels = 4) {
    super()
    this.scale_heads = Array.from({ length: levels }, (_, level) => {
      const steps = Array.from({ length: Math.max(1, level) }, (_, i): Layer[] => [
        conv(i === 0 ? inChannels : channels, channels, 3),
        ...(level > 0 ? [new Upsample(2, { mode: 'bilinear', alignCorners: false })] : []),
      ])
      return new Sequential(...steps.flat())
    })
    this.conv_seg = classConv(channels, classes)
  }

  /** Levels [N, C, h, w], finest first -> logits [N, classes, h, w] of the finest. */
  forward(maps: readonly Tensor[]): Tensor {
    const parts = this.scale_heads.map((head, i) => head.forward(maps[i] as Tensor))
    const [, , height, width] = (parts[0] as Tensor).sizes(4)
    const sum = ops.addAll(parts.map((part, i) => (i === 0 ? part : resizedTo(part, height, width))))
    return decided(this.conv_seg, sum, this.training)
  }
}

/** Sides of the pools of pyramid pooling (Zhao et al. 2017). */
const poolSides = [1, 2, 3, 6]

/** UPerNet's head (Xiao et al. 2018): pyramid pooling on the coarsest map, a pyramid of convolutions, all levels side by side. */
export class UPerHead extends Module {
  readonly psp_modules: readonly Sequential[]
  readonly bottleneck: ConvModule
  readonly lateral_convs: readonly ConvModule[]
  readonly fpn_convs: readonly ConvModule[]
  readonly fpn_bottleneck: ConvModule
  readonly conv_seg: Conv2d

  constructor(inChannels: readonly number[], channels: number, classes: number) {
    super()
    const last = inChannels.at(-1) ?? channels
    const others = inChannels.slice(0, -1)
    this.psp_modules = poolSides.map((side) => new Sequential(new Pool(side), conv(last, channels, 1)))
    this.bottleneck = conv(last + poolSides.length * channels, channels, 3)
    this.lateral_convs = others.map((from) => conv(from, channels, 1))
    this.fpn_convs = others.map(() => conv(channels, channels, 3))
    this.fpn_bottleneck = conv(inChannels.length * channels, channels, 3)
    this.conv_seg = classConv(channels, classes)
  }

  /** The coarsest map with its means over parts of the picture. */
  #pooled(x: Tensor): Tensor {
    const [, , height, width] = x.sizes(4)
    const pools = this.psp_modules.map((pool) => resizedTo(pool.forward(x), height, width))
    return this.bottleneck.forward(ops.concat([x, ...pools], 1))
  }

  /** Maps of the backbone [N, in, h, w], finest first -> logits [N, classes, h, w] of the finest. */
  forward(maps: readonly Tensor[]): Tensor {
    const laterals = this.lateral_convs.map((lateral, i) => lateral.forward(maps[i] as Tensor))
    laterals.push(this.#pooled(maps.at(-1) as Tensor))
    for (let i = laterals.length - 1; i > 0; i--) {
      const finer = laterals[i - 1] as Tensor
      const [, , height, width] = finer.sizes(4)
      laterals[i - 1] = ops.add(finer, resizedTo(laterals[i] as Tensor, height, width))
    }
    const levels = laterals.map((x, i) => this.fpn_convs[i]?.forward(x) ?? x)
    const [, , height, width] = (levels[0] as Tensor).sizes(4)
    const all = ops.concat(
      levels.map((x, i) => (i === 0 ? x : resizedTo(x, height, width))),
      1,
    )
    return decided(this.conv_seg, this.fpn_bottleneck.forward(all), this.training)
  }
}

/** Means over side x side parts of the picture. */
class Pool extends Module {
  readonly #side: number

  constructor(side: number) {
    super()
    this.#side = side
  }

  forward(x: Tensor): Tensor {
    return ops.adaptiveAvgPool2d(x, this.#side)
  }
}

/** A convolution and the classes: UPerNet's second loss, on the third stage. */
export class FCNHead extends Module {
  readonly convs: readonly ConvModule[]
  readonly conv_seg: Conv2d

  constructor(inChannels: number, channels: number, classes: number) {
    super()
    this.convs = [conv(inChannels, channels, 3)]
    this.conv_seg = classConv(channels, classes)
  }

  forward(x: Tensor): Tensor {
    const y = this.convs.reduce((map, each) => each.forward(map), x)
    return decided(this.conv_seg, y, this.training)
  }
}
