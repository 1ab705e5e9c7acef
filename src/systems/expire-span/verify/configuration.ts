/** Configurations of the reference cases: constructor arguments of the official code by their names. */
import type { NDArray } from '../../../tensor/dtype.ts'
import {
  booleanSetting,
  dropoutSetting,
  fixedSetting,
  numberSetting,
  type ReferenceCase,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import type {
  AdaptiveSpanConfig,
  CompressiveConfig,
  ExpireSpanConfig,
  SequenceConfig,
  TransformerSeqConfig,
} from '../config.ts'
import { officialWeights } from '../official.ts'

const expireSettings = [
  'expire_span_loss',
  'expire_span_ramp',
  'expire_span_init_percentage',
  'expire_span_noisy',
  'expire_span_pre_div',
  'expire_span_layerdrop',
] as const

const adaptiveSettings = [
  'adapt_span_loss',
  'adapt_span_len',
  'adapt_span_init',
  'adapt_span_cache',
  'adapt_span_trim_step',
  'adapt_span_layer',
] as const

/** Kinds of memory that are not the one of the target must be off; the settings of these then mean nothing. */
function refuseOthers({ config }: ReferenceCase, kinds: readonly ('expire_span' | 'adapt_span' | 'compress')[]): void {
  for (const kind of kinds) fixedSetting(config, kind, false)
  fixedSetting(config, 'feedback', false)
  if (kinds.includes('expire_span')) withoutEffect(config, ...expireSettings)
  if (kinds.includes('adapt_span')) withoutEffect(config, ...adaptiveSettings)
  if (kinds.includes('compress')) withoutEffect(config, 'compress_rate', 'compress_size')
}

function sequenceConfig(reference: ReferenceCase): SequenceConfig {
  const { config } = reference
  return {
    hid_sz: numberSetting(config, 'hid_sz'),
    inner_hid_sz: numberSetting(config, 'inner_hid_sz'),
    nlayers: numberSetting(config, 'nlayers'),
    mem_sz: numberSetting(config, 'mem_sz'),
    nheads: numberSetting(config, 'nheads'),
    head_dim: numberSetting(config, 'head_dim', 0),
    dropout: dropoutSetting(reference, 'dropout'),
    attn_lim: numberSetting(config, 'attn_lim'),
    pre_norm: booleanSetting(config, 'pre_norm', false),
    vocab_sz: numberSetting(config, 'vocab_sz'),
  }
}

/** The settings of spans; official defaults. */
export function spanSettings({ config }: ReferenceCase) {
  return {
    expire_span_loss: numberSetting(config, 'expire_span_loss', 0),
    expire_span_ramp: numberSetting(config, 'expire_span_ramp', 32),
    expire_span_init_percentage: numberSetting(config, 'expire_span_init_percentage', 0.1),
    expire_span_noisy: booleanSetting(config, 'expire_span_noisy', false),
    expire_span_pre_div: numberSetting(config, 'expire_span_pre_div', 1),
    expire_span_layerdrop: numberSetting(config, 'expire_span_layerdrop', 0),
  }
}

export function expireSpanConfig(reference: ReferenceCase): ExpireSpanConfig {
  refuseOthers(reference, ['adapt_span', 'compress'])
  const expire_span = booleanSetting(reference.config, 'expire_span', false)
  return { ...sequenceConfig(reference), expire_span, ...spanSettings(reference) }
}

export function transformerSeqConfig(reference: ReferenceCase): TransformerSeqConfig {
  refuseOthers(reference, ['expire_span', 'compress'])
  const { config } = reference
  const adapt_span = booleanSetting(config, 'adapt_span', false)
  if (!adapt_span) withoutEffect(config, ...adaptiveSettings)
  const adaptive: AdaptiveSpanConfig | undefined = adapt_span
    ? {
        adapt_span_loss: numberSetting(config, 'adapt_span_loss', 0),
        adapt_span_len: numberSetting(config, 'adapt_span_len', 32),
        adapt_span_init: numberSetting(config, 'adapt_span_init', 0),
        adapt_span_cache: booleanSetting(config, 'adapt_span_cache', false),
        adapt_span_trim_step: numberSetting(config, 'adapt_span_trim_step', 64),
        adapt_span_layer: booleanSetting(config, 'adapt_span_layer', false),
      }
    : undefined
  return { ...sequenceConfig(reference), adapt_span, ...(adaptive && { adaptive }) }
}

export function compressiveConfig(reference: ReferenceCase): CompressiveConfig {
  refuseOthers(reference, ['expire_span', 'adapt_span'])
  fixedSetting(reference.config, 'compress', true)
  return {
    ...sequenceConfig(reference),
    compress_rate: numberSetting(reference.config, 'compress_rate', 4),
    compress_size: numberSetting(reference.config, 'compress_size', 128),
  }
}

/** The parameters of a case, its saved masks checked. */
export function parametersOf(reference: ReferenceCase): Map<string, NDArray> {
  return officialWeights(tensorsBelow(reference, 'param/'))
}
