/** The settings that FNet's recipes share; each recipe gives its own defaults. */
import { z } from 'zod'
import { optimizerSettings, type TrainDefaults, trainSettings } from '../../tasks/settings.ts'
import { pathSetting, whole } from '../../train/settings.ts'
import { architectures, attentionLayouts } from './config.ts'

const probability = z.number().min(0).lt(1)

/** Settings of the encoder that a recipe may change; vocabulary and length follow from its data. */
export function encoderSettings(defaults: {
  readonly num_layers: number
  readonly d_model: number
  readonly d_ff: number
  readonly num_heads: number
  readonly dropout_rate: number
}) {
  return z.strictObject({
    model_arch: z
      .enum(architectures)
      .default('f_net')
      .describe(`how tokens are mixed: ${architectures.join(', ')}`),
    num_layers: whole.default(defaults.num_layers).describe('blocks of mixing and feed-forward layer'),
    d_emb: whole.default(defaults.d_model).describe('width of the embeddings'),
    d_model: whole.default(defaults.d_model).describe('width of the encoder'),
    d_ff: whole.default(defaults.d_ff).describe('width of the feed-forward layers'),
    num_heads: whole.default(defaults.num_heads).describe('heads of layers that attend'),
    type_vocab_size: whole.default(4).describe('kinds of segments'),
    num_attention_layers: z.number().int().min(0).default(0).describe('layers that attend instead (FNet-Hybrid: 2)'),
    attention_layout: z.enum(attentionLayouts).default('top').describe('where these are placed'),
    dropout_rate: probability
      .default(defaults.dropout_rate)
      .describe('dropout after embeddings and feed-forward layers'),
    mixing_dropout_rate: probability.default(0).describe('dropout of attention weights'),
    random_seed: z.number().int().min(0).max(0xffffffff).default(0).describe('seed of the matrices of random mixing'),
  })
}

type EncoderDefaults = Parameters<typeof encoderSettings>[0]

/** The same for recipes that can start from a checkpoint. */
export function checkpointedSettings(defaults: EncoderDefaults) {
  return encoderSettings(defaults).extend({
    checkpoint: pathSetting(
      'start from these weights: official .npz, transformers .safetensors or .bin; they decide the sizes above; needs tokenizer.file',
    ),
  })
}

export type EncoderSettings = z.infer<ReturnType<typeof encoderSettings>>
export type CheckpointedSettings = z.infer<ReturnType<typeof checkpointedSettings>>

/** How weights are updated: AdamW with the paper's linear warm-up, over a tenth of the steps, and linear decay to 0. */
export function fnetOptimizerSettings(lr: number) {
  return optimizerSettings({ lr, schedule: 'linear', warmup_share: 0.1, eps: 1e-6 })
}

/** How long training is and what it keeps; `monitor`: metrics that may say which is better. */
export function fnetTrainSettings(defaults: TrainDefaults) {
  return trainSettings({ checkpoint_every: 200, ...defaults })
}
