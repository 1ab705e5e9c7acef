/** The configurations of CLIP and BigGAN-deep under the names of their official codes, and the published variants. */

/** CLIP (Radford et al. 2021, arXiv 2103.00020), as the constructor of openai/CLIP takes it. */
export interface CLIPConfig {
  /** Width of the space that pictures and texts share. */
  readonly embed_dim: number
  /** Height and width of a picture, in pixels. */
  readonly image_resolution: number
  /** One number: the layers of a ViT; four: the blocks of each stage of a ResNet. */
  readonly vision_layers: number | readonly number[]
  readonly vision_width: number
  /** Height and width of a patch; a ResNet has none. */
  readonly vision_patch_size: number | null
  /** Tokens of a text. */
  readonly context_length: number
  readonly vocab_size: number
  readonly transformer_width: number
  readonly transformer_heads: number
  readonly transformer_layers: number
}

const text = (transformer_width: number, transformer_heads: number) => ({
  context_length: 77,
  vocab_size: 49_408,
  transformer_width,
  transformer_heads,
  transformer_layers: 12,
})

const resnet = (embed_dim: number, image_resolution: number, vision_layers: readonly number[], vision_width: number) =>
  ({ embed_dim, image_resolution, vision_layers, vision_width, vision_patch_size: null }) as const

const vit = (embed_dim: number, image_resolution: number, layers: number, width: number, patch: number) =>
  ({ embed_dim, image_resolution, vision_layers: layers, vision_width: width, vision_patch_size: patch }) as const

/** The nine published models. */
export const clipVariants = {
  RN50: { ...resnet(1024, 224, [3, 4, 6, 3], 64), ...text(512, 8) },
  RN101: { ...resnet(512, 224, [3, 4, 23, 3], 64), ...text(512, 8) },
  RN50x4: { ...resnet(640, 288, [4, 6, 10, 6], 80), ...text(640, 10) },
  RN50x16: { ...resnet(768, 384, [6, 8, 18, 8], 96), ...text(768, 12) },
  RN50x64: { ...resnet(1024, 448, [3, 15, 36, 10], 128), ...text(1024, 16) },
  'ViT-B/32': { ...vit(512, 224, 12, 768, 32), ...text(512, 8) },
  'ViT-B/16': { ...vit(512, 224, 12, 768, 16), ...text(512, 8) },
  'ViT-L/14': { ...vit(768, 224, 24, 1024, 14), ...text(768, 12) },
  'ViT-L/14@336px': { ...vit(768, 336, 24, 1024, 14), ...text(768, 12) },
} as const satisfies Readonly<Record<string, CLIPConfig>>

/** A block of BigGAN-deep: whether it doubles height and width; its channels in and out, in multiples of the width. */
export type BlockConfig = readonly [upsample: boolean, from: number, to: number]

/** The generator of BigGAN-deep (Brock et al. 2018, arXiv 1809.11096), as huggingface/pytorch-pretrained-BigGAN takes it. */
export interface BigGANConfig {
  /** Height and width of a picture; follows from the layers, and is only said here. */
  readonly output_dim: number
  /** Width of the noise, and of the embedding of a class. */
  readonly z_dim: number
  /** Is not used: an embedding is as wide as the noise. */
  readonly class_embed_dim: number
  /** ch, the channels of the last block. */
  readonly channel_width: number
  readonly num_classes: number
  readonly layers: readonly BlockConfig[]
  /** The number of the block before which attention stands; none of that number: no attention. */
  readonly attention_layer_position: number
  /** Of the spectral norms and of the batch norms. */
  readonly eps: number
  /** Truncations for which the batch norms have statistics. */
  readonly n_stats: number
}

const released = {
  z_dim: 128,
  class_embed_dim: 128,
  channel_width: 128,
  num_classes: 1000,
  attention_layer_position: 8,
  eps: 1e-4,
  n_stats: 51,
} as const

const layers256 = [
  [false, 16, 16],
  [true, 16, 16],
  [false, 16, 16],
  [true, 16, 8],
  [false, 8, 8],
  [true, 8, 8],
  [false, 8, 8],
  [true, 8, 4],
  [false, 4, 4],
  [true, 4, 2],
  [false, 2, 2],
  [true, 2, 1],
] as const

/** The three released generators. */
export const bigganVariants = {
  'biggan-deep-128': {
    ...released,
    output_dim: 128,
    layers: [
      [false, 16, 16],
      [true, 16, 16],
      [false, 16, 16],
      [true, 16, 8],
      [false, 8, 8],
      [true, 8, 4],
      [false, 4, 4],
      [true, 4, 2],
      [false, 2, 2],
      [true, 2, 1],
    ],
  },
  'biggan-deep-256': { ...released, output_dim: 256, layers: layers256 },
  'biggan-deep-512': { ...released, output_dim: 512, layers: [...layers256, [false, 1, 1], [true, 1, 1]] },
} as const satisfies Readonly<Record<string, BigGANConfig>>
