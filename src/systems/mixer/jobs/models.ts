/** The models that the studies compare, each at any cost. */
import { ConvNet } from '../../../models/convnet.ts'
import { ResNet } from '../../../models/resnet.ts'
import { ViT } from '../../../models/vit.ts'
import { init, type Module, summary } from '../../../nn/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Mixer } from '../model.ts'

/** Sizes that every compared model has. */
export interface BaselineConfig {
  /** Height and width of the pictures, in pixels. */
  readonly image_size: readonly [number, number]
  readonly in_channels: number
  readonly num_classes: number
  /** Side of a patch, in pixels; convolutional nets do not look at it. */
  readonly patch_size: number
  readonly width: number
  /** Blocks, or layers of the plain convolutional net. */
  readonly depth: number
}

type PictureModel = Module & { forward(images: Tensor): Tensor }

interface Family {
  readonly title: string
  /** Widths are multiples of it. */
  readonly widthStep: number
  readonly build: (config: BaselineConfig) => PictureModel
}

/** Channels of an attention head. */
const headWidth = 8

/** What can be compared, by the name used in settings. */
export const families = {
  mixer: { title: 'Mixer', widthStep: 8, build: buildMixer },
  vit: { title: 'ViT', widthStep: headWidth, build: buildViT },
  resnet: { title: 'ResNet', widthStep: 1, build: buildResNet },
  convnet: { title: 'ConvNet', widthStep: 1, build: buildConvNet },
} as const satisfies Readonly<Record<string, Family>>

export type FamilyName = keyof typeof families
export const familyNames = Object.keys(families) as readonly FamilyName[]

/** Mixer in the proportions of the paper's small models, at a tenth of their width: D_S = C / 2, D_C = 2 C. */
function buildMixer(config: BaselineConfig): Mixer {
  const { width, depth, patch_size, ...rest } = config
  return new Mixer({
    ...rest,
    patch_size: [patch_size, patch_size],
    num_blocks: depth,
    hidden_dim: width,
    tokens_mlp_dim: width / 2,
    channels_mlp_dim: 2 * width,
    stoch_depth: 0,
    gelu: 'tanh',
  })
}

/** An MLP of twice the width and the mean of all tokens, as the Mixer has; positions begin as vectors of length about 1. */
function buildViT({ image_size, in_channels, num_classes, patch_size, width, depth }: BaselineConfig): ViT {
  return new ViT({
    imageSize: image_size,
    inChannels: in_channels,
    numClasses: num_classes,
    patchSize: patch_size,
    width,
    depth,
    heads: width / headWidth,
    mlpWidth: 2 * width,
    pool: 'avg',
    initPositions: (shape) => init.normal(shape, { std: 1 / Math.sqrt(width) }),
  })
}

/** Two stages of two blocks, after a stem that halves height and width. */
function buildResNet({ in_channels, num_classes, width }: BaselineConfig): ResNet {
  return new ResNet({
    block: 'basic',
    layers: [2, 2],
    stem: { kernel: 3, stride: 2, pool: false },
    inChannels: in_channels,
    numClasses: num_classes,
    width,
  })
}

function buildConvNet({ in_channels, num_classes, width }: BaselineConfig): ConvNet {
  return new ConvNet({ inChannels: in_channels, numClasses: num_classes, width, depth: 4 })
}

/** Multiply-adds for one picture, by `nn.summary`. */
export function costOf(model: Module, { in_channels, image_size }: BaselineConfig): number {
  return summary(model, [1, in_channels, ...image_size]).multiplyAdds
}

/** The width at which a family costs as nearly as possible `target` multiply-adds a picture. */
export function matchingWidth(family: FamilyName, config: Omit<BaselineConfig, 'width'>, target: number): number {
  const { widthStep, build } = families[family]
  let [best, distance] = [widthStep, Number.POSITIVE_INFINITY]
  // Costs grow with the width: past the target they only get farther from it.
  for (let width = widthStep; ; width += widthStep) {
    const cost = costOf(
      init.skipInit(() => build({ ...config, width }).eval()),
      { ...config, width },
    )
    if (Math.abs(cost - target) < distance) [best, distance] = [width, Math.abs(cost - target)]
    if (cost >= target) return best
  }
}
