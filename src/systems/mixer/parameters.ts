import { elementCount } from '../../tensor/dtype.ts'
import { type MixerConfig, tokenCount } from './config.ts'

/** Parameters of a Mixer, from the formula of its shapes. */
export function parameterCount(config: MixerConfig): number {
  const { hidden_dim: c, tokens_mlp_dim: ds, channels_mlp_dim: dc, num_blocks, num_classes, in_channels } = config
  const tokens = tokenCount(config)
  const stem = c * (in_channels * elementCount(config.patch_size) + 1)
  const block = 4 * c + (2 * tokens * ds + ds + tokens) + (2 * c * dc + dc + c)
  return stem + num_blocks * block + 2 * c + (num_classes > 0 ? (c + 1) * num_classes : 0)
}
