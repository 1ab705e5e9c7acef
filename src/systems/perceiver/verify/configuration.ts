/** Settings of DeepMind's and transformers' cases as ours. */
import { activationNames } from '../../../nn/activation-names.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import {
  booleanSetting,
  choiceSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  optionalNumber,
  type Settings,
  stringSetting,
  withoutEffect,
} from '../../../verify/target.ts'
import type { ClassificationDecoderConfig, EncoderConfig } from '../io.ts'
import type { PositionConfig, PositionOptions } from '../positions.ts'
import type { PreprocessorConfig } from '../preprocess.ts'

function positionConfig(settings: Settings): PositionConfig {
  const type = choiceSetting(settings, 'position_encoding_type', ['fourier', 'trainable'], 'fourier')
  const unused = `${type === 'fourier' ? 'trainable' : 'fourier'}_position_encoding_kwargs`
  const other = nestedSettings(settings, unused, {})
  withoutEffect(other, ...Object.keys(other))
  if (type === 'trainable') {
    const learned = nestedSettings(settings, 'trainable_position_encoding_kwargs', {})
    withoutEffect(learned, 'init_scale', 'index_dims')
    return { type, num_channels: numberSetting(learned, 'num_channels') }
  }
  const waves = nestedSettings(settings, 'fourier_position_encoding_kwargs', {})
  return {
    type,
    num_bands: numberSetting(waves, 'num_bands'),
    ...(waves.max_resolution !== undefined &&
      waves.max_resolution !== null && { max_resolution: numbersSetting(waves, 'max_resolution') }),
    concat_pos: booleanSetting(waves, 'concat_pos', true),
    sine_only: booleanSetting(waves, 'sine_only', false),
  }
}

function positionOptions(settings: Settings): PositionOptions {
  return {
    position: positionConfig(settings),
    n_extra_pos_mlp: numberSetting(settings, 'n_extra_pos_mlp', 0),
    concat_or_add_pos: choiceSetting(settings, 'concat_or_add_pos', ['concat', 'add'], 'concat'),
    project_pos_dim: numberSetting(settings, 'project_pos_dim', -1),
  }
}

/** Whose code: they differ in the activation's form, in the layout of inputs, and in padding. */
export type Origin = 'deepmind' | 'transformers'

/** A preprocessor for inputs like `input`, which has channels where the origin has them. */
export function preprocessorConfig(settings: Settings, input: Tensor, origin: Origin): PreprocessorConfig {
  if (settings.samples_per_patch !== undefined && settings.samples_per_patch !== null) {
    withoutEffect(settings, 'out_channels') // transformers': of a convolution that sound has not
    choiceSetting(settings, 'prep_type', ['patches'], 'patches')
    const samples = input.size / (input.shape[0] ?? 1)
    const samples_per_patch = numberSetting(settings, 'samples_per_patch')
    return { kind: 'audio', samples, samples_per_patch, ...positionOptions(settings) }
  }
  const isLast = origin === 'deepmind'
  const channels = input.shape.at(isLast ? -1 : -3) ?? 1
  const size = isLast ? input.shape.slice(1, -1) : [...input.shape.slice(1, -3), ...input.shape.slice(-2)]
  withoutEffect(settings, 'in_channels', 'conv_after_patching_in_channels')
  return {
    kind: 'image',
    prep_type: choiceSetting(settings, 'prep_type', ['pixels', 'patches', 'conv1x1', 'conv'], 'conv'),
    size,
    in_channels: channels,
    spatial_downsample: numberSetting(settings, 'spatial_downsample', 4),
    temporal_downsample: numberSetting(settings, 'temporal_downsample', 1),
    num_channels: numberSetting(settings, isLast ? 'num_channels' : 'out_channels', 64),
    conv_after_patching: booleanSetting(settings, 'conv_after_patching', false),
    conv2d_use_batchnorm: booleanSetting(settings, 'conv2d_use_batchnorm', true),
    conv_padding: isLast ? 'same' : 'symmetric',
    ...positionOptions(settings),
  }
}

const given = <T extends string>(name: T, value: number | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in T]?: number }

/** DeepMind's PerceiverEncoder. */
export function deepmindEncoder(settings: Settings, inputChannels: number): EncoderConfig {
  numberSetting(settings, 'dropout_prob', 0)
  withoutEffect(settings, 'z_pos_enc_init_scale', 'dropout_prob') // how latents begin; cases have no chance in them
  return {
    input_channels: inputChannels,
    z_index_dim: numberSetting(settings, 'z_index_dim'),
    num_z_channels: numberSetting(settings, 'num_z_channels'),
    num_self_attends_per_block: numberSetting(settings, 'num_self_attends_per_block'),
    num_blocks: numberSetting(settings, 'num_blocks'),
    num_cross_attend_heads: numberSetting(settings, 'num_cross_attend_heads', 1),
    num_self_attend_heads: numberSetting(settings, 'num_self_attend_heads', 8),
    cross_attend_widening_factor: numberSetting(settings, 'cross_attend_widening_factor', 1),
    self_attend_widening_factor: numberSetting(settings, 'self_attend_widening_factor', 1),
    ...given('qk_channels', optionalNumber(settings, 'qk_channels')),
    ...given('v_channels', optionalNumber(settings, 'v_channels')),
    cross_attention_shape_for_attn: choiceSetting(settings, 'cross_attention_shape_for_attn', ['kv', 'q'], 'kv'),
    use_query_residual: booleanSetting(settings, 'use_query_residual', true),
  }
}

/** DeepMind's ClassificationDecoder. */
export function deepmindDecoder(settings: Settings, latentChannels: number): ClassificationDecoderConfig {
  const learned = nestedSettings(settings, 'trainable_position_encoding_kwargs', {})
  withoutEffect(learned, 'init_scale')
  withoutEffect(settings, 'num_z_channels') // of decoders that do not attend
  choiceSetting(settings, 'position_encoding_type', ['trainable'], 'trainable')
  return {
    num_classes: numberSetting(settings, 'num_classes'),
    num_latent_channels: latentChannels,
    num_channels: numberSetting(learned, 'num_channels', latentChannels),
    num_heads: numberSetting(settings, 'num_heads', 1),
    widening_factor: numberSetting(settings, 'cross_attend_widening_factor', 1),
    use_query_residual: booleanSetting(settings, 'use_query_residual', false),
    ...given('qk_channels', optionalNumber(settings, 'qk_channels')),
    ...given('v_channels', optionalNumber(settings, 'v_channels')),
  }
}

/** transformers' PerceiverConfig. */
export function transformersEncoder(settings: Settings, inputChannels: number): EncoderConfig {
  numberSetting(settings, 'attention_probs_dropout_prob', 0)
  // What is not used by the official code (the norms' epsilon), or by other preprocessors and decoders.
  withoutEffect(settings, 'layer_norm_eps', 'd_model', 'vocab_size', 'max_position_embeddings', 'samples_per_patch')
  withoutEffect(settings, 'initializer_range', 'image_size', 'attention_probs_dropout_prob')
  return {
    input_channels: inputChannels,
    z_index_dim: numberSetting(settings, 'num_latents'),
    num_z_channels: numberSetting(settings, 'd_latents'),
    num_self_attends_per_block: numberSetting(settings, 'num_self_attends_per_block'),
    num_blocks: numberSetting(settings, 'num_blocks'),
    num_cross_attend_heads: numberSetting(settings, 'num_cross_attention_heads', 8),
    num_self_attend_heads: numberSetting(settings, 'num_self_attention_heads', 8),
    cross_attend_widening_factor: numberSetting(settings, 'cross_attention_widening_factor', 1),
    self_attend_widening_factor: numberSetting(settings, 'self_attention_widening_factor', 1),
    ...given('qk_channels', optionalNumber(settings, 'qk_channels')),
    ...given('v_channels', optionalNumber(settings, 'v_channels')),
    cross_attention_shape_for_attn: choiceSetting(settings, 'cross_attention_shape_for_attention', ['kv', 'q'], 'kv'),
    use_query_residual: booleanSetting(settings, 'use_query_residual', true),
    act: activationOf(settings),
    allMasked: 'mean',
  }
}

const activationOf = (settings: Settings) => choiceSetting(settings, 'hidden_act', activationNames, 'gelu')

/** transformers' PerceiverClassificationDecoder: settings of its own, and its width of classes from the model's. */
export function transformersDecoder(
  settings: Settings,
  model: Settings,
  latentChannels: number,
): ClassificationDecoderConfig {
  const learned = nestedSettings(settings, 'trainable_position_encoding_kwargs', {})
  withoutEffect(learned, 'index_dims')
  withoutEffect(settings, 'num_channels')
  const shape = choiceSetting(model, 'cross_attention_shape_for_attention', ['kv', 'q'], 'kv')
  const width = numberSetting(learned, 'num_channels', latentChannels)
  return {
    num_classes: numberSetting(model, 'num_labels', 2),
    num_latent_channels: latentChannels,
    num_channels: width,
    num_heads: numberSetting(settings, 'num_heads', 1),
    widening_factor: numberSetting(settings, 'widening_factor', 1),
    use_query_residual: booleanSetting(settings, 'use_query_residual', false),
    qk_channels: optionalNumber(settings, 'qk_channels') ?? (shape === 'q' ? width : latentChannels),
    ...given('v_channels', optionalNumber(settings, 'v_channels')),
    act: activationOf(model),
  }
}

/** The name that a case's setting must have. */
export const typeOf = (settings: Settings): string => stringSetting(settings, 'type', 'ClassificationDecoder')
