/** The settings of the recipes: which views, which encoder, what is measured at an evaluation. */
import { z } from 'zod'
import { ResNet, resnetStems } from '../../models/index.ts'
import { count, whole } from '../../train/settings.ts'
import { type Encoder, MLPEncoder, ViTEncoder } from './encoder.ts'
import { type ViewFamily, viewFamilies } from './views.ts'

const families = Object.keys(viewFamilies) as [ViewFamily, ...ViewFamily[]]

/** How views are made. */
export function viewSettings(defaults: { readonly family?: ViewFamily; readonly local_crops?: number } = {}) {
  return z.strictObject({
    family: z
      .enum(families)
      .default(defaults.family ?? 'digits')
      .describe(`the random changes: ${families.join(', ')} (digits are turned, natural pictures mirrored)`),
    crop_area: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("least share of the area that a view shows; 0: the family's own"),
    local_crops: count
      .default(defaults.local_crops ?? 0)
      .describe('small crops of each picture besides the two views (multi-crop)'),
    local_size: whole.default(14).describe('side of a small crop, in pixels'),
  })
}

export type ViewSettings = z.infer<ReturnType<typeof viewSettings>>

/** The network that is kept. */
export function encoderSettings() {
  return z.strictObject({
    name: z
      .enum(['resnet', 'vit', 'mlp'])
      .default('resnet')
      .describe('a ResNet with a 3x3 stem, a ViT, or layers over all pixels'),
    width: whole.default(16).describe('channels of the ResNet in its first stage, which every further one doubles'),
    layers: z.array(whole).min(1).default([1, 1, 1]).describe('blocks of each stage of the ResNet'),
    stride: z.number().int().min(1).max(2).default(2).describe('of the stem: 2 takes a quarter of the time'),
    patch_size: whole.default(7).describe('side of a patch of the ViT, in pixels'),
    embed_dim: whole.default(96).describe('width of the ViT'),
    depth: whole.default(4).describe('blocks of the ViT'),
    num_heads: whole.default(4).describe('its heads'),
    hidden: z.array(whole).min(1).default([512, 128]).describe('widths of the layers of the mlp'),
  })
}

export type EncoderSettings = z.infer<ReturnType<typeof encoderSettings>>

/** An encoder for pictures of so many channels and pixels. */
export function makeEncoder(
  settings: EncoderSettings,
  channels: number,
  [height, width]: readonly [number, number],
): Encoder {
  if (settings.name === 'mlp') return new MLPEncoder(channels * height * width, settings.hidden)
  if (settings.name === 'vit') {
    const { patch_size: patchSize, embed_dim: embedDim, depth, num_heads: heads } = settings
    return new ViTEncoder({ patchSize, width: embedDim, depth, heads }, channels, [height, width])
  }
  return new ResNet({
    block: 'basic',
    layers: settings.layers,
    width: settings.width,
    stem: { ...resnetStems.small, stride: settings.stride },
    inChannels: channels,
    numClasses: 0,
  })
}

/** What an evaluation looks at. */
export function probeSettings() {
  return z.strictObject({
    examples: whole.default(2000).describe('training pictures whose classes the nearest neighbours vote with'),
    test_examples: whole
      .default(1000)
      .describe('test pictures that are classified, and whose embeddings are looked at'),
    k: whole.default(20).describe('nearest neighbours'),
    temperature: z.number().positive().default(0.07).describe('of their votes'),
  })
}

export type ProbeSettings = z.infer<ReturnType<typeof probeSettings>>
