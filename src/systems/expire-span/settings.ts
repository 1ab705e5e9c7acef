/** The settings of Expire-Span's recipes. */
import { z } from 'zod'
import { optimizerSettings, type TrainDefaults, trainSettings } from '../../tasks/settings.ts'
import { count, whole } from '../../train/settings.ts'
import { type SequenceConfig, spanRegularisers } from './config.ts'
import { type AnyModel, CompressiveTransformer, ExpireSpan, TransformerSeq } from './model.ts'

/** Ways to remember, which one setting chooses. */
const memoryKinds = ['expire', 'fixed', 'adaptive', 'compressive'] as const

/** What recipes say of their models. */
export interface ModelDefaults {
  readonly hid_sz: number
  readonly inner_hid_sz: number
  readonly nlayers: number
  readonly mem_sz: number
  readonly attn_lim: number
  readonly pre_norm: boolean
  readonly dropout: number
  readonly expire_span_loss: number
  readonly expire_span_ramp: number
  readonly expire_span_init_percentage: number
}

const probability = z.number().min(0).lt(1)
const positive = z.number().positive()

/** Names of the official options; those of the other kinds of memory have no effect. */
export function modelSettings(defaults: ModelDefaults) {
  return z.strictObject({
    memory: z
      .enum(memoryKinds)
      .default('expire')
      .describe(`what becomes of old memories: ${memoryKinds.join(', ')}`),
    hid_sz: whole.default(defaults.hid_sz).describe('width of the hidden states'),
    inner_hid_sz: whole.default(defaults.inner_hid_sz).describe('width of the feed-forward layers'),
    nlayers: whole.default(defaults.nlayers).describe('layers'),
    mem_sz: whole.default(defaults.mem_sz).describe('tokens of a block, computed at once'),
    nheads: whole.default(4).describe('heads of the attention'),
    head_dim: count.default(0).describe('width of a head; 0: hid_sz / nheads'),
    dropout: probability.default(defaults.dropout).describe('dropout of attention weights and after the ReLU'),
    attn_lim: whole.default(defaults.attn_lim).describe('maximum span: how far back a query can look'),
    pre_norm: z.boolean().default(defaults.pre_norm).describe('norm before attention and feed-forward layer'),
    expire_span_loss: z.number().min(0).default(defaults.expire_span_loss).describe('what remembering costs'),
    expire_span_ramp: positive.default(defaults.expire_span_ramp).describe('steps in which a memory fades out'),
    expire_span_init_percentage: z
      .number()
      .gt(0)
      .lt(1)
      .default(defaults.expire_span_init_percentage)
      .describe('the span that memories begin with, as a part of attn_lim'),
    expire_span_noisy: z.boolean().default(false).describe('cut the spans of a training block at random'),
    expire_span_pre_div: positive.default(1).describe('the hidden state is divided by it before its span is predicted'),
    expire_span_layerdrop: probability.default(0).describe('leave out layers in training with this probability'),
    span_regulariser: z
      .enum(spanRegularisers)
      .default('ramp')
      .describe('what the span loss charges: memories while they fade (official code), or every span (the paper)'),
    adapt_span_loss: z.number().min(0).default(1e-6).describe('adaptive: what a longer span costs'),
    adapt_span_len: positive.default(32).describe('adaptive: length of the soft end of a span'),
    adapt_span_init: z.number().min(0).max(1).default(0.1).describe('adaptive: first span, as a part of attn_lim'),
    adapt_span_trim_step: whole.default(64).describe('adaptive: what is out of reach is left out in such steps'),
    compress_rate: whole.default(4).describe('compressive: memories that become one'),
    compress_size: whole.default(256).describe('compressive: steps that the compressed memory covers'),
  })
}

export type ModelSettings = z.infer<ReturnType<typeof modelSettings>>

/** The model of the settings. */
export function modelOf(settings: ModelSettings, vocab_sz: number): AnyModel {
  const common: SequenceConfig = { ...settings, vocab_sz }
  switch (settings.memory) {
    case 'expire':
      return new ExpireSpan({ ...settings, vocab_sz, expire_span: true })
    case 'fixed':
      return new TransformerSeq({ ...common, adapt_span: false })
    case 'adaptive':
      return new TransformerSeq({
        ...common,
        adapt_span: true,
        adaptive: { ...settings, adapt_span_cache: true, adapt_span_layer: false },
      })
    case 'compressive':
      return new CompressiveTransformer({ ...settings, vocab_sz })
  }
}

/** Adam with a warm-up and clipped gradients, as in the official recipes. */
export function expireOptimizerSettings(lr: number) {
  return optimizerSettings({
    name: 'adam',
    lr,
    schedule: 'constant',
    warmup_steps: 100,
    weight_decay: 0,
    clip_norm: 0.3,
  })
}

/** How long training is. */
export function expireTrainSettings(defaults: TrainDefaults) {
  return trainSettings({ checkpoint_every: 200, ...defaults })
}
