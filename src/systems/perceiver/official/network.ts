/** The networks of the official codes as classifiers of pictures: Perceiver IO in its three published forms, and perceiver-pytorch. */
import { z } from 'zod'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { ClassificationDecoder, type EncoderConfig, PerceiverIO, ProjectionDecoder } from '../io.ts'
import { LucidPerceiver } from '../lucid.ts'
import type { NamedMaps, PerceiverOutputs } from '../model.ts'
import { ImagePreprocessor, type ImagePreprocessorConfig } from '../preprocess.ts'

/** The settings of `perceiver/official`; a checkpoint decides what follows from its tensors. */
export function officialSettings() {
  return z.strictObject({
    checkpoint: pathSetting(
      "start from these weights: DeepMind's (a pickle of Haiku, .npz), transformers' or perceiver-pytorch's (safetensors, PyTorch); they decide the sizes below",
    ),
    network: z
      .enum(['fourier', 'learned', 'conv', 'lucid'])
      .default('fourier')
      .describe(
        'Perceiver IO on pixels with Fourier features, on pixels with learned positions, behind a convolution; or perceiver-pytorch',
      ),
    code: z
      .enum(['auto', 'deepmind', 'transformers'])
      .default('auto')
      .describe('of Perceiver IO: whose GELU and padding; auto: those of the checkpoint, else of DeepMind'),
    num_latents: whole.default(32).describe('latents, N'),
    num_latent_channels: whole.default(64).describe('channels of a latent, D'),
    num_blocks: count
      .default(0)
      .describe(
        'how often the block of self attentions is applied (perceiver-pytorch: depth); 0: 8 of a checkpoint, which does not say it, else 2',
      ),
    num_self_attends_per_block: whole.default(2).describe('self attentions of a block'),
    num_cross_attend_heads: whole.default(1).describe('a checkpoint does not say it; published: 1'),
    num_self_attend_heads: count.default(0).describe('0: 8 of a checkpoint, which does not say it, else 4'),
    num_bands: whole.default(8).describe('Fourier frequencies of each axis, K'),
    max_resolution: z
      .number()
      .min(0)
      .default(0)
      .describe('mu: the fastest wave has mu / 2 periods; 0: the size of what is read; a checkpoint does not say it'),
    channels: whole.default(32).describe('of the convolution, and of learned positions'),
    decoder: z
      .enum(['query', 'mean'])
      .default('query')
      .describe('of Perceiver IO: a learned query asks the latents, or their mean'),
    attention_channels: z
      .enum(['kv', 'q'])
      .default('kv')
      .describe(
        'of Perceiver IO: channels of queries and keys of the cross attention: those of the inputs, or of the latents',
      ),
    weight_tie_layers: z
      .boolean()
      .default(false)
      .describe('of perceiver-pytorch: layers from the second on share weights'),
  })
}

export type OfficialSettings = z.infer<ReturnType<typeof officialSettings>>

/** What is left open by the settings. */
function chosen({ num_blocks, num_self_attend_heads, code }: OfficialSettings) {
  return { blocks: num_blocks || 2, heads: num_self_attend_heads || 4, isTransformers: code === 'transformers' }
}

/** Mean and deviation of ImageNet's colours, of pixels from 0 to 1: the official codes' normalisation. */
const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const

/** Pixels in -1..1 as the official codes have them; grey ones stay. images [B, C, H, W]. */
function officialPixels(images: Tensor): Tensor {
  if (images.sizes(4)[1] !== 3) return images
  const colors = (values: readonly number[]): Tensor => constant(Float32Array.from(values), [1, 3, 1, 1], 'float32')
  const shares = ops.mul(ops.add(images, 1), 0.5)
  return ops.div(ops.sub(shares, colors(imageNet.mean)), colors(imageNet.deviation))
}

function preprocessorConfig(
  settings: OfficialSettings,
  { image_size, in_channels }: PictureFacts,
): ImagePreprocessorConfig {
  const { network, num_bands, max_resolution, channels } = settings
  const common = { kind: 'image', size: image_size, in_channels } as const
  const resolutionOf = (size: readonly number[]) => ({
    max_resolution: max_resolution > 0 ? size.map(() => max_resolution) : size,
  })
  if (network === 'learned') {
    const position = { type: 'trainable', num_channels: channels } as const
    return { ...common, prep_type: 'conv1x1', num_channels: channels, position, project_pos_dim: channels }
  }
  if (network === 'conv') {
    // A quarter of the size, also where transformers' port makes one row less.
    const position = {
      type: 'fourier',
      num_bands,
      ...resolutionOf(image_size.map((size) => Math.ceil(size / 4))),
    } as const
    const conv_padding = chosen(settings).isTransformers ? 'symmetric' : 'same'
    return { ...common, prep_type: 'conv', spatial_downsample: 4, num_channels: channels, position, conv_padding }
  }
  return { ...common, prep_type: 'pixels', position: { type: 'fourier', num_bands, ...resolutionOf(image_size) } }
}

function perceiverIO(settings: OfficialSettings, facts: PictureFacts): PerceiverIO<ImagePreprocessor> {
  const { blocks, heads, isTransformers } = chosen(settings)
  const { num_latent_channels: width, decoder } = settings
  const pixels = new ImagePreprocessor(preprocessorConfig(settings, facts))
  const config: EncoderConfig = {
    input_channels: pixels.outputChannels,
    z_index_dim: settings.num_latents,
    num_z_channels: width,
    num_self_attends_per_block: settings.num_self_attends_per_block,
    num_blocks: blocks,
    num_cross_attend_heads: settings.num_cross_attend_heads,
    num_self_attend_heads: heads,
    cross_attention_shape_for_attn: settings.attention_channels,
    act: isTransformers ? 'gelu' : 'gelu_new',
  }
  const num_classes = facts.labels.length
  const asked = () =>
    new ClassificationDecoder({ num_classes, num_latent_channels: width, act: isTransformers ? 'gelu' : 'gelu_new' })
  return new PerceiverIO(config, pixels, decoder === 'query' ? asked() : new ProjectionDecoder(width, num_classes))
}

function lucid(settings: OfficialSettings, { image_size, in_channels, labels }: PictureFacts): LucidPerceiver {
  const { blocks, heads } = chosen(settings)
  return new LucidPerceiver({
    num_freq_bands: settings.num_bands,
    depth: blocks,
    max_freq: settings.max_resolution || Math.max(...image_size),
    input_channels: in_channels,
    num_latents: settings.num_latents,
    latent_dim: settings.num_latent_channels,
    cross_heads: settings.num_cross_attend_heads,
    latent_heads: heads,
    num_classes: labels.length,
    weight_tie_layers: settings.weight_tie_layers,
    self_per_cross_attn: settings.num_self_attends_per_block,
  })
}

/** An official network for pictures in -1..1. */
export class OfficialClassifier extends Module {
  readonly net: PerceiverIO<ImagePreprocessor> | LucidPerceiver

  constructor(settings: OfficialSettings, facts: PictureFacts) {
    super()
    this.net = settings.network === 'lucid' ? lucid(settings, facts) : perceiverIO(settings, facts)
  }

  /** images [B, C, H, W] in -1..1 -> logits [B, K]. */
  forward(images: Tensor): Tensor {
    return this.outputs(images).logits
  }

  outputs(images: Tensor): PerceiverOutputs {
    const pixels = officialPixels(images)
    if (this.net instanceof PerceiverIO) return this.net.forward(this.net.input_preprocessor.forward(pixels))
    const { embeddings, attentions, logits } = this.net.outputs(ops.permute(pixels, [0, 2, 3, 1]))
    const maps = attentions.flatMap(({ cross, self }): NamedMaps[] => [
      { ...cross, kind: 'cross' },
      ...self.map((each): NamedMaps => ({ ...each, kind: 'self' })),
    ])
    return { latents: embeddings, attentions: maps, logits }
  }
}
