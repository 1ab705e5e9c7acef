/** The settings of a frozen transformer's recipes. */
import { z } from 'zod'
import { classifierOptimizerSettings } from '../../tasks/pictures/settings.ts'
import { optimizerSettings, type TrainDefaults, trainSettings } from '../../tasks/settings.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { type BodyConfig, bodies, type FrozenTransformerConfig } from './config.ts'
import { controls } from './controls.ts'
import { vitPositions } from './model.ts'
import { unreadViT } from './official.ts'

const modelNames = Object.keys(bodies) as (keyof typeof bodies)[]
const probability = z.number().min(0).lt(1)
const widths = z.array(whole).default([])

/** The model: its body's sizes, its switches under the official names. */
export const modelSettings = z.strictObject({
  model_name: z
    .enum(modelNames)
    .default('gpt2')
    .describe('the body: a GPT-2 of a published size, a BERT, a ViT, an LSTM'),
  embedding_size: count.default(128).describe('width of the body; 0: as published (768 and more)'),
  n_layer: count.default(4).describe('its layers; 0: as published'),
  n_head: count.default(4).describe('heads of its attention; 0: as published'),
  n_positions: count
    .default(0)
    .describe('tokens that a GPT-2 or BERT has positions for; 0: those of the task, of a published size 1024 and 512'),
  vocab_size: count
    .default(0)
    .describe('rows of its word embedding, which no task reads; 0: 1, of a published size 50257 and 30522'),
  n_inner: count.default(0).describe('hidden width of its feed-forward layers; 0: four times its width'),
  qkv_bias: z.boolean().default(true).describe('whether queries, keys and values of a ViT have biases'),
  causal: z.boolean().default(true).describe('whether a token of a GPT-2 sees only itself and those before'),
  body_dropout: probability
    .default(0.1)
    .describe('dropout inside of a GPT-2 or BERT, in training, also where it is frozen (published: 0.1)'),
  initializer_range: z
    .number()
    .min(0)
    .default(0)
    .describe(
      'standard deviation with which the matrices of a GPT-2 or BERT begin; 0: 0.02 as published, in a body narrower than 768 times sqrt(768 / width)',
    ),
  in_layer_sizes: widths.describe(
    'hidden widths of the input layer, like [64]; of numbers only: tokens of a vocabulary are embedded',
  ),
  out_layer_sizes: widths.describe('hidden widths of the output layer'),
  freeze_trans: z.boolean().default(true).describe('freeze the body, but for what follows; false: all of it learns'),
  freeze_ln: z.boolean().default(false).describe('freeze its norms'),
  freeze_pos: z.boolean().default(false).describe('freeze the position embeddings'),
  freeze_attn: z.boolean().default(true).describe('freeze attention'),
  freeze_ff: z.boolean().default(true).describe('freeze the feed-forward layers'),
  freeze_in: z.boolean().default(false).describe('freeze the input layer'),
  freeze_out: z.boolean().default(false).describe('freeze the output layer'),
  dropout: probability.default(0.1).describe('dropout of input and output layer, and of an LSTM'),
  orth_gain: z
    .number()
    .min(0)
    .default(1.41)
    .describe("gain of the input layer's orthogonal matrices; 0: uniform ones, as PyTorch's linear layers begin"),
})

export type ModelSettings = z.infer<typeof modelSettings>

/** The same for pictures. */
export const pictureModelSettings = modelSettings.extend({
  patch_size: whole.default(7).describe('side of a patch in pixels; 1: every pixel is a token'),
  grey: z.boolean().default(false).describe('make colours grey, as in the task of 1,024 grey pixels'),
})

/** What the body's weights are, if not random. */
export const pretrainedSettings = z.strictObject({
  checkpoint: pathSetting(
    'a body in a file: GPT-2 or BERT of transformers, ViT of timm, the official code (.safetensors, .bin, .pt); it decides the sizes',
  ),
  run: pathSetting('the body of another run of frozen-transformer, such as one that learned bit memory'),
  heads: count.default(0).describe('heads of the body in the file; 0: as many as are 64 wide'),
  weights: z
    .enum(controls)
    .default('kept')
    .describe('the weights as they are; random ones of the same mean and deviation; their entries in another order'),
  seed: count.default(0).describe('seed of the latter two'),
})

export type PretrainedSettings = z.infer<typeof pretrainedSettings>

/** Adam at a constant rate, clipped to norm 1 (official). */
const official = { name: 'adam', schedule: 'constant', weight_decay: 0 } as const

const bodyRateSetting = z
  .number()
  .min(0)
  .default(0)
  .describe('learning rate of attention and feed-forward layers where they learn; 0: lr, one rate for all (official)')

export const frozenOptimizerSettings = (lr: number) =>
  optimizerSettings({ lr, ...official }).extend({ body_lr: bodyRateSetting })

export type FrozenOptimizerSettings = z.infer<ReturnType<typeof frozenOptimizerSettings>>

/** The same for classifiers of pictures. */
export const pictureOptimizerSettings = (lr: number) =>
  classifierOptimizerSettings({ lr, ...official, decayed: 'all' }).extend({
    body_lr: bodyRateSetting,
    label_smoothing: z.number().min(0).max(0.5).default(0).describe('share of the target spread over all classes'),
  })

/** How long training is. */
export const frozenTrainSettings = (epochs: number, monitor: TrainDefaults['monitor']) =>
  trainSettings({ epochs, batch_size: 32, evaluate_every: 250, checkpoint_every: 250, monitor })

/**
 * Standard deviation of random matrices. At 0.02 a map of width E keeps 0.02 sqrt(E) of what goes in, so a narrow body that is frozen as it
 * begins would pass its input on and do next to nothing else: it begins with what makes it do as much as the published one.
 */
function initialDeviation({ initializer_range }: ModelSettings, width: number): number {
  return initializer_range || 0.02 * Math.sqrt(Math.max(1, 768 / width))
}

/** The body of the settings, for a task of so many tokens. */
function bodyOfSettings(model: ModelSettings, tokens: number): BodyConfig {
  const published = bodies[model.model_name]
  if (published.kind === 'lstm') {
    return {
      kind: 'lstm',
      hidden_size: model.embedding_size || published.hidden_size,
      num_layers: model.n_layer || published.num_layers,
    }
  }
  if (published.kind === 'vit') {
    const embed_dim = model.embedding_size || published.embed_dim
    return {
      ...unreadViT,
      kind: 'vit',
      embed_dim,
      depth: model.n_layer || published.depth,
      num_heads: model.n_head || published.num_heads,
      qkv_bias: model.qkv_bias,
      mlp_ratio: (model.n_inner || 4 * embed_dim) / embed_dim,
    }
  }
  const { body_dropout: rate, causal } = model
  const isPublished = model.embedding_size === 0
  if (published.kind === 'bert') {
    const hidden_size = model.embedding_size || published.hidden_size
    return {
      kind: 'bert',
      hidden_size,
      num_hidden_layers: model.n_layer || published.num_hidden_layers,
      num_attention_heads: model.n_head || published.num_attention_heads,
      max_position_embeddings: model.n_positions || (isPublished ? 512 : tokens),
      vocab_size: model.vocab_size || (isPublished ? 30_522 : 1),
      intermediate_size: model.n_inner || 4 * hidden_size,
      initializer_range: initialDeviation(model, hidden_size),
      hidden_dropout_prob: rate,
      attention_probs_dropout_prob: rate,
    }
  }
  const n_embd = model.embedding_size || published.n_embd
  return {
    kind: 'gpt2',
    n_embd,
    n_layer: model.n_layer || published.n_layer,
    n_head: model.n_head || published.n_head,
    n_positions: model.n_positions || (isPublished ? 1024 : tokens),
    vocab_size: model.vocab_size || (isPublished ? 50_257 : 1),
    n_inner: model.n_inner || null,
    initializer_range: initialDeviation(model, n_embd),
    causal,
    embd_pdrop: rate,
    attn_pdrop: rate,
    resid_pdrop: rate,
  }
}

/** The settings with the sizes of a given body. */
export function settingsOfBody(model: ModelSettings, body: BodyConfig): ModelSettings {
  switch (body.kind) {
    case 'gpt2':
      return {
        ...model,
        model_name: 'gpt2',
        embedding_size: body.n_embd,
        n_layer: body.n_layer,
        n_head: body.n_head,
        n_positions: body.n_positions ?? 0,
        vocab_size: body.vocab_size ?? 0,
        n_inner: body.n_inner ?? 0,
      }
    case 'bert':
      return {
        ...model,
        model_name: 'bert',
        embedding_size: body.hidden_size,
        n_layer: body.num_hidden_layers,
        n_head: body.num_attention_heads,
        n_positions: body.max_position_embeddings ?? 0,
        vocab_size: body.vocab_size ?? 0,
        n_inner: body.intermediate_size ?? 0,
      }
    case 'vit':
      return {
        ...model,
        model_name: 'vit',
        embedding_size: body.embed_dim,
        n_layer: body.depth,
        n_head: body.num_heads,
        n_inner: Math.round((body.mlp_ratio ?? 4) * body.embed_dim),
        qkv_bias: body.qkv_bias ?? true,
      }
    case 'lstm':
      return { ...model, model_name: 'lstm', embedding_size: body.hidden_size, n_layer: body.num_layers }
  }
}

/** The positions that are a setting. */
function positionsOf(body: BodyConfig): number | undefined {
  if (body.kind === 'gpt2') return body.n_positions
  return body.kind === 'bert' ? body.max_position_embeddings : undefined
}

/** Throws a UsageError where a body has fewer positions than the task has tokens. */
function checkPositions(body: BodyConfig, tokens: number): void {
  if (body.kind === 'vit') {
    if (tokens <= vitPositions) return
    throw new UsageError(`a ViT has positions for ${vitPositions} tokens, the task has ${tokens}`, {
      hint: 'take fewer or longer tokens, or --set model.model_name=gpt2',
    })
  }
  const positions = positionsOf(body)
  if (positions === undefined || positions >= tokens) return
  throw new UsageError(`model.n_positions must be at least the task's ${tokens} tokens, found ${positions}`, {
    hint: `--set model.n_positions=${tokens}`,
  })
}

/** What a model must know of its task. */
export interface TaskSizes {
  readonly input_dim: number
  readonly output_dim: number
  readonly tokens: number
  /** Whether tokens are numbers of a vocabulary. Default: false. */
  readonly embeds?: boolean
}

/** The model of the settings for such a task. Throws a UsageError for settings that do not fit it. */
export function modelConfig(model: ModelSettings, task: TaskSizes): FrozenTransformerConfig {
  const { input_dim, output_dim, tokens, embeds = false } = task
  const { in_layer_sizes, out_layer_sizes, dropout, orth_gain } = model
  const { freeze_trans, freeze_ln, freeze_pos, freeze_attn, freeze_ff, freeze_in, freeze_out } = model
  const ofBody = freeze_trans && freeze_ln && freeze_attn && freeze_ff
  if (ofBody && freeze_pos && freeze_in && freeze_out) {
    throw new UsageError('nothing would learn: all of model.freeze_... are true', {
      hint: '--set model.freeze_out=false lets the output layer learn',
    })
  }
  const hasHeads = model.model_name !== 'lstm' && model.embedding_size > 0 && model.n_head > 0
  if (hasHeads && model.embedding_size % model.n_head !== 0) {
    throw new UsageError(
      `model.embedding_size must be a multiple of model.n_head, found ${model.embedding_size} and ${model.n_head}`,
    )
  }
  if (embeds && in_layer_sizes.length > 0) {
    throw new UsageError(
      `model.in_layer_sizes must be empty for tokens of a vocabulary, found [${in_layer_sizes.join(', ')}]`,
      { hint: 'their input layer is an embedding, without hidden layers' },
    )
  }
  const body = bodyOfSettings(model, tokens)
  checkPositions(body, tokens)
  return {
    body,
    input_dim,
    output_dim,
    in_layer_sizes,
    out_layer_sizes,
    dropout,
    orth_gain: orth_gain === 0 ? null : orth_gain,
    freeze_trans,
    freeze_ln,
    freeze_pos,
    freeze_attn,
    freeze_ff,
    freeze_in,
    freeze_out,
    use_embeddings_for_in: embeds,
  }
}
