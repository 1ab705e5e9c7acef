/** The configurations under the names of the official code (facebookresearch/transformer-sequential), and its recipes' models by name. */
import { UsageError } from '../../util/errors.ts'

/** What every model of this folder is made of. */
export interface SequenceConfig {
  /** H, width of the hidden states. */
  readonly hid_sz: number
  /** Hidden width of the feed-forward layers. */
  readonly inner_hid_sz: number
  readonly nlayers: number
  /** M, tokens that are computed at once: a block. */
  readonly mem_sz: number
  /** K */
  readonly nheads: number
  /** D, width of a head; 0: hid_sz / nheads. */
  readonly head_dim: number
  /** Dropout of attention weights and after the ReLU. */
  readonly dropout: number
  /** S, the maximum span: how far back a query can look. Where memories may expire, at least mem_sz. */
  readonly attn_lim: number
  /** LayerNorm before attention and feed-forward layer (and a last one before the output) instead of after their residual sums. */
  readonly pre_norm: boolean
  readonly vocab_sz: number
}

/** Expire-Span (section 4 of the paper). */
export interface ExpireSpanConfig extends SequenceConfig {
  /** Whether memories expire; if not, the last attn_lim ones are kept. */
  readonly expire_span: boolean
  /** alpha, weight of the span loss. */
  readonly expire_span_loss: number
  /** R, steps in which a memory that reaches its span fades out. */
  readonly expire_span_ramp: number
  /** The span that every memory begins with, as a part of attn_lim. */
  readonly expire_span_init_percentage: number
  /** In training cut all spans of a block to a random part of attn_lim. */
  readonly expire_span_noisy: boolean
  /** The hidden state is divided by it before its span is predicted. */
  readonly expire_span_pre_div: number
  /** In training leave out a layer with this probability. */
  readonly expire_span_layerdrop: number
  /**
   * What the span loss charges: memories while they fade (the official code), or every memory for its whole span, once, when it is made
   * (the paper's formula, alpha sum_i e_i / T). Default: `ramp`.
   */
  readonly span_regulariser?: SpanRegulariser
}

/** The two forms of the span loss. */
export const spanRegularisers = ['ramp', 'every'] as const

export type SpanRegulariser = (typeof spanRegularisers)[number]

/** Adaptive-Span (Sukhbaatar et al. 2019, arXiv 1905.07799). */
export interface AdaptiveSpanConfig {
  /** Weight of the mean span. */
  readonly adapt_span_loss: number
  /** Length of the soft end of a span. */
  readonly adapt_span_len: number
  /** The first span, as a part of attn_lim. */
  readonly adapt_span_init: number
  /** Whether less is kept when spans are short. */
  readonly adapt_span_cache: boolean
  /** What lies beyond the longest span is left out in multiples of this. */
  readonly adapt_span_trim_step: number
  /** One span a layer instead of one a head. */
  readonly adapt_span_layer: boolean
}

/** A fixed span, or with `adapt_span` a learned one. */
export interface TransformerSeqConfig extends SequenceConfig {
  readonly adapt_span: boolean
  readonly adaptive?: AdaptiveSpanConfig
}

/** Compressive Transformer (Rae et al. 2020, arXiv 1911.05507) with mean pooling. */
export interface CompressiveConfig extends SequenceConfig {
  /** c, vectors that become one. */
  readonly compress_rate: number
  /** Steps that the compressed memory covers: it holds compress_size / compress_rate vectors. */
  readonly compress_size: number
}

/** Width of a head. */
export function headWidth({ hid_sz, nheads, head_dim }: SequenceConfig): number {
  if (head_dim > 0) return head_dim
  requireThat(
    hid_sz % nheads === 0,
    `hid_sz must be a multiple of nheads unless head_dim is set, found ${hid_sz} and ${nheads}`,
  )
  return hid_sz / nheads
}

/** A UsageError about the configuration unless it holds. */
export function requireThat(holds: boolean, complaint: string, hint?: string): void {
  if (!holds) throw new UsageError(`Expire-Span: ${complaint}`, hint === undefined ? {} : { hint })
}

/** What must hold of every configuration. */
export function checkConfig(config: SequenceConfig): void {
  for (const name of ['hid_sz', 'inner_hid_sz', 'nlayers', 'mem_sz', 'nheads', 'attn_lim', 'vocab_sz'] as const) {
    const size = config[name]
    requireThat(Number.isInteger(size) && size >= 1, `${name} must be a whole number of at least 1, found ${size}`)
  }
  headWidth(config)
}

/** A query of Expire-Span attends to all earlier tokens of its block: spans cannot be shorter than that. */
export function requireSpanOfBlock({ attn_lim, mem_sz }: SequenceConfig): void {
  requireThat(
    attn_lim >= mem_sz,
    `attn_lim must be at least mem_sz, found ${attn_lim} and ${mem_sz}`,
    'a longer maximum span, or shorter blocks',
  )
}

/** What the paper's trainings have in common. */
const expiring = {
  head_dim: 0,
  expire_span: true,
  expire_span_init_percentage: 0.1,
  expire_span_noisy: false,
  expire_span_pre_div: 1,
  expire_span_layerdrop: 0,
} as const

const collision = {
  ...expiring,
  hid_sz: 512,
  inner_hid_sz: 1024,
  nlayers: 6,
  mem_sz: 256,
  nheads: 4,
  dropout: 0.1,
  pre_norm: true,
  // Rows and columns of 16, 5 colours, 5 colours asked for, the query before any crossing, end and unknown.
  vocab_sz: 44,
  expire_span_loss: 2e-6,
  expire_span_ramp: 128,
  expire_span_init_percentage: 0.01,
} as const

/** The models of the official recipes. */
export const variants = {
  /** 12 layers with up to 16,384 memories each; 38 M parameters. */
  enwik8: {
    ...expiring,
    hid_sz: 512,
    inner_hid_sz: 2048,
    nlayers: 12,
    mem_sz: 512,
    nheads: 8,
    dropout: 0.3,
    attn_lim: 16_384,
    pre_norm: false,
    vocab_sz: 206,
    expire_span_loss: 1e-6,
    expire_span_ramp: 128,
    expire_span_noisy: true,
  },
  /** For one GPU. */
  'enwik8-small': {
    ...expiring,
    hid_sz: 256,
    inner_hid_sz: 1024,
    nlayers: 8,
    mem_sz: 256,
    nheads: 4,
    dropout: 0,
    attn_lim: 4096,
    pre_norm: false,
    vocab_sz: 206,
    expire_span_loss: 1e-6,
    expire_span_ramp: 64,
    expire_span_pre_div: 64,
  },
  'collision-16k': { ...collision, attn_lim: 16_384 },
  'collision-32k': { ...collision, attn_lim: 32_768 },
  'collision-64k': { ...collision, attn_lim: 65_536, expire_span_noisy: true },
} as const satisfies Readonly<Record<string, ExpireSpanConfig>>
