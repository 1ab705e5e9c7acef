/** The settings of Mixer's recipes. */
import { z } from 'zod'
import { pathSetting, whole } from '../../train/settings.ts'

/** Settings that every Mixer recipe has; recipes give the defaults. */
export function mixerSettings(defaults: {
  patch_size: number
  num_blocks: number
  hidden_dim: number
  tokens_mlp_dim: number
  channels_mlp_dim: number
}) {
  return z.strictObject({
    patch_size: whole.default(defaults.patch_size).describe('side of a patch, in pixels'),
    num_blocks: whole.default(defaults.num_blocks).describe('blocks, one after the other'),
    hidden_dim: whole.default(defaults.hidden_dim).describe('width of a token, C'),
    tokens_mlp_dim: whole.default(defaults.tokens_mlp_dim).describe('hidden width of the token mixing, D_S'),
    channels_mlp_dim: whole.default(defaults.channels_mlp_dim).describe('hidden width of the channel mixing, D_C'),
    stoch_depth: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("stochastic depth: how often the last block's branches are dropped (official 0.1)"),
    gelu: z
      .enum(['auto', 'tanh', 'none'])
      .default('auto')
      .describe('approximation of GELU: tanh (official), none (timm); auto: as the checkpoint wants it, else tanh'),
    checkpoint: pathSetting(
      'start from these weights: official .npz, timm .safetensors or .pth; they decide the sizes above',
    ),
    freeze: z
      .string()
      .default('')
      .describe('parts that keep their weights, with commas between: stem,blocks.0,blocks.1.mlp_tokens'),
  })
}

export type MixerSettings = z.infer<ReturnType<typeof mixerSettings>>
