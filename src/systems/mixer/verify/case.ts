/** What the reference cases of Mixer share: reading a case, the official configuration, picture layouts. */

import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { numberSetting, numbersSetting, type Settings, withoutEffect } from '../../../verify/target.ts'
import type { MixerConfig } from '../config.ts'

/** A height and a width. */
export function pair(settings: Settings, name: string): [number, number] {
  const [height, width = height] = numbersSetting(settings, name)
  if (height === undefined || width === undefined)
    throw new FormatError(`${name} must have a height and a width, found none`)
  return [height, width]
}

/** The constructor arguments of vit_jax (`patches.size`) or big_vision (`patch_size`). */
export function officialConfig(config: Settings): MixerConfig {
  withoutEffect(config, 'model_name') // a name: the official code ignores it
  const patches = config.patches
  return {
    patch_size:
      typeof patches === 'object' && patches !== null ? pair(patches as Settings, 'size') : pair(config, 'patch_size'),
    image_size: pair(config, 'image_size'),
    in_channels: numberSetting(config, 'in_channels', 3),
    num_classes: numberSetting(config, 'num_classes', 0),
    num_blocks: numberSetting(config, 'num_blocks'),
    hidden_dim: numberSetting(config, 'hidden_dim'),
    tokens_mlp_dim: numberSetting(config, 'tokens_mlp_dim'),
    channels_mlp_dim: numberSetting(config, 'channels_mlp_dim'),
    stoch_depth: numberSetting(config, 'stoch_depth', 0),
    gelu: 'tanh',
  }
}

/** NHWC, as flax has pictures, to NCHW. */
export const toChannelsFirst = (images: Tensor): Tensor => ops.permute(images, [0, 3, 1, 2])
