/** The models that the studies compare, each at any cost. */
import { type Module, summary } from '../../../nn/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { BaselineConfig } from '../baselines/config.ts'
import { ConvNet } from '../baselines/convnet.ts'
import { ResNet } from '../baselines/resnet.ts'
import { headWidth, ViT } from '../baselines/vit.ts'
import { Mixer } from '../model.ts'

type PictureModel = Module & { forward(images: Tensor): Tensor }

interface Family {
  readonly title: string
  /** Widths are multiples of it. */
  readonly widthStep: number
  readonly build: (config: BaselineConfig) => PictureModel
}

/** What can be compared, by the name used in settings. */
export const families = {
  mixer: { title: 'Mixer', widthStep: 8, build: buildMixer },
  vit: { title: 'ViT', widthStep: headWidth, build: (config) => new ViT(config) },
  resnet: { title: 'ResNet', widthStep: 1, build: (config) => new ResNet({ ...config, depth: 4 }) },
  convnet: { title: 'ConvNet', widthStep: 1, build: (config) => new ConvNet({ ...config, depth: 4 }) },
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
    const cost = costOf(build({ ...config, width }).eval(), { ...config, width })
    if (Math.abs(cost - target) < distance) [best, distance] = [width, Math.abs(cost - target)]
    if (cost >= target) return best
  }
}
