/**
 * GPT-2 (Radford et al. 2019), with the names and layouts of transformers: its state dicts load as they are.
 *
 * Shapes: N batch, L tokens, E width, V vocabulary.
 */
import { inRowBlocks } from '../autodiff/row-blocks.ts'
import { type ActivationName, activate } from '../nn/activation-names.ts'
import { Dropout, Embedding, init, LayerNorm, Module } from '../nn/index.ts'
import * as ops from '../ops/index.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { formatShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { AttentionCache } from './attention-cache.ts'
import { LearnedPositions } from './positions.ts'
import { type AttentionInputs, attendByHeads, type Mixed, transformerLayer } from './transformer.ts'

/** Sizes, with the names of transformers' `config.json`. */
export interface GPT2Config {
  /** Default: 50,257. */
  readonly vocab_size?: number
  /** Tokens in a sequence, at most. Default: 1024. */
  readonly n_positions?: number
  readonly n_embd: number
  readonly n_layer: number
  readonly n_head: number
  /** Hidden width of the MLPs. Default: 4 n_embd. */
  readonly n_inner?: number | null
  /** Activation of the MLPs. Default: gelu_new, the tanh form of GELU. */
  readonly activation_function?: ActivationName
  /** Default: 1e-5. */
  readonly layer_norm_epsilon?: number
  /** Standard deviation of the initial matrices. Default: 0.02. */
  readonly initializer_range?: number
  /** Whether scores are divided by the square root of a head's width. Default: true. */
  readonly scale_attn_weights?: boolean
  /** Whether the scores of layer i (from 0) are also divided by i + 1. Default: false. */
  readonly scale_attn_by_inverse_layer_idx?: boolean
  /** Dropout of the embeddings. Default: 0.1, as published. */
  readonly embd_pdrop?: number
  /** Dropout of attention weights. Default: 0.1. */
  readonly attn_pdrop?: number
  /** Dropout of each residual branch. Default: 0.1. */
  readonly resid_pdrop?: number
}

/** The published sizes. */
export const gpt2Variants = {
  gpt2: { n_embd: 768, n_layer: 12, n_head: 12 },
  'gpt2-medium': { n_embd: 1024, n_layer: 24, n_head: 16 },
  'gpt2-large': { n_embd: 1280, n_layer: 36, n_head: 20 },
  'gpt2-xl': { n_embd: 1600, n_layer: 48, n_head: 25 },
} as const satisfies Readonly<Record<string, GPT2Config>>

/** The initial values of a matrix. */
function matrixInit({ initializer_range: std = 0.02 }: Pick<GPT2Config, 'initializer_range'> = {}): init.Initializer {
  return (shape) => init.normal(shape, { std })
}

/** The last map of each residual branch begins smaller, by the number of branches: standard deviation 0.02 / sqrt(2 layers). */
function residualInit({ initializer_range = 0.02, n_layer }: GPT2Config): init.Initializer {
  return matrixInit({ initializer_range: initializer_range / Math.sqrt(2 * n_layer) })
}

/** y = x W + b over the last axis. The weight is [in, out], GPT-2's layout: the transpose of a `Linear`'s. */
export class Conv1D extends Module {
  readonly weight
  readonly bias

  constructor(inFeatures: number, outFeatures: number, initWeight: init.Initializer = matrixInit()) {
    super()
    this.weight = init.parameter([inFeatures, outFeatures], initWeight)
    this.bias = init.parameter([outFeatures], init.zeros)
  }

  forward(x: Tensor): Tensor {
    return ops.add(ops.matmul(x, this.weight), this.bias)
  }
}

/** Causal self-attention; c_attn [E, 3 E] maps to queries, keys and values. */
class GPT2Attention extends Module {
  readonly c_attn: Conv1D
  readonly c_proj: Conv1D
  readonly resid_dropout: Dropout
  readonly #heads: number
  readonly #scale: number
  readonly #dropout: number

  /** Layers count from 0. */
  constructor(config: GPT2Config, layer: number) {
    super()
    const { n_embd, n_head, attn_pdrop = 0.1, resid_pdrop = 0.1 } = config
    const { scale_attn_weights = true, scale_attn_by_inverse_layer_idx = false } = config
    if (n_embd % n_head !== 0) {
      throw new UsageError(`GPT2: n_embd must be a multiple of n_head, found ${n_embd} and ${n_head}`)
    }
    this.c_attn = new Conv1D(n_embd, 3 * n_embd, matrixInit(config))
    this.c_proj = new Conv1D(n_embd, n_embd, residualInit(config))
    this.resid_dropout = new Dropout(resid_pdrop)
    this.#heads = n_head
    this.#scale =
      (scale_attn_weights ? 1 / Math.sqrt(n_embd / n_head) : 1) / (scale_attn_by_inverse_layer_idx ? layer + 1 : 1)
    this.#dropout = attn_pdrop
  }

  /** x [N, L, E] -> output [N, L, E], weights [N, heads, L, L]. */
  forward(x: Tensor, inputs: AttentionInputs = {}): ops.Attention {
    const [q, k, v] = ops.chunk(this.c_attn.forward(x), 3, -1) // [N, L, E] each
    const { output, weights } = attendByHeads(q, k, v, {
      heads: this.#heads,
      scale: this.#scale,
      causal: true,
      dropout: this.training ? this.#dropout : 0,
      ...inputs,
    })
    return { output: this.resid_dropout.forward(this.c_proj.forward(output)), weights }
  }
}

/** Two layers with an activation between, the tanh form of GELU as published. */
class GPT2MLP extends Module {
  readonly c_fc: Conv1D
  readonly c_proj: Conv1D
  readonly dropout: Dropout
  readonly #hidden: number
  readonly #activation: ActivationName

  constructor(config: GPT2Config) {
    super()
    const { n_embd, n_inner, activation_function = 'gelu_new', resid_pdrop = 0.1 } = config
    this.#hidden = n_inner ?? 4 * n_embd
    this.#activation = activation_function
    this.c_fc = new Conv1D(n_embd, this.#hidden, matrixInit(config))
    this.c_proj = new Conv1D(this.#hidden, n_embd, residualInit(config))
    this.dropout = new Dropout(resid_pdrop)
  }

  /** [N, L, E] -> [N, L, E] */
  forward(x: Tensor): Tensor {
    const mapped = inRowBlocks(x, { widest: this.#hidden }, (rows) =>
      this.c_proj.forward(activate(this.#activation, this.c_fc.forward(rows))),
    )
    return this.dropout.forward(mapped)
  }
}

class GPT2Block extends Module {
  readonly ln_1: LayerNorm
  readonly attn: GPT2Attention
  readonly ln_2: LayerNorm
  readonly mlp: GPT2MLP

  constructor(config: GPT2Config, layer: number) {
    super()
    const eps = config.layer_norm_epsilon ?? 1e-5
    this.ln_1 = new LayerNorm(config.n_embd, { eps })
    this.attn = new GPT2Attention(config, layer)
    this.ln_2 = new LayerNorm(config.n_embd, { eps })
    this.mlp = new GPT2MLP(config)
  }

  /** x [N, L, E] -> output [N, L, E], weights [N, heads, L, L]. */
  forward(x: Tensor, inputs: AttentionInputs = {}): Mixed {
    return transformerLayer(x, {
      norm: 'pre',
      mix: (tokens) => this.attn.forward(tokens, inputs),
      norm1: this.ln_1,
      feedForward: (tokens) => this.mlp.forward(tokens),
      norm2: this.ln_2,
    })
  }
}

/** What a GPT-2 sees besides its tokens. */
export interface GPT2Inputs {
  /** bool [N, L]: true for tokens, false for padding, which nothing attends to. With a cache, give the mask to the cache. */
  readonly mask?: Tensor
  /** int64 [N, L]: the position of each token. Default: 0, 1, 2, ..., as in transformers; with a cache, padding is not counted. */
  readonly positions?: Tensor
  /** Keys and values of the tokens before; `ids` then holds the new tokens only. */
  readonly cache?: AttentionCache
  /** Whether a token sees only itself and those before. Default: true. */
  readonly causal?: boolean
}

/** What the layers computed on the way. */
export interface GPT2Outputs {
  /** After the last norm, [N, L, E]. */
  readonly hidden: Tensor
  /** Attention weights of each layer, [N, heads, L, L]. */
  readonly attentions: readonly Tensor[]
  /** The input of the first layer, then the output of each, before the last norm: [N, L, E] each. */
  readonly layers: readonly Tensor[]
}

/** The transformer without a head. */
export class GPT2Model extends Module {
  readonly wte: Embedding
  readonly wpe: LearnedPositions
  readonly drop: Dropout
  readonly h: readonly GPT2Block[]
  readonly ln_f: LayerNorm

  constructor(config: GPT2Config) {
    super()
    const { vocab_size = 50_257, n_positions = 1024, n_embd, n_layer, embd_pdrop = 0.1 } = config
    this.wte = new Embedding(vocab_size, n_embd, { initWeight: matrixInit(config) })
    this.wpe = new LearnedPositions(n_positions, n_embd, { initWeight: matrixInit(config) })
    this.drop = new Dropout(embd_pdrop)
    this.h = Array.from({ length: n_layer }, (_, layer) => new GPT2Block(config, layer))
    this.ln_f = new LayerNorm(n_embd, { eps: config.layer_norm_epsilon ?? 1e-5 })
  }

  /** ids: integers [N, L], or embeddings in their place, float32 [N, L, E] -> [N, L, E] after the last norm. */
  forward(ids: Tensor, inputs: GPT2Inputs = {}): Tensor {
    return this.outputs(ids, inputs).hidden
  }

  /** The same, with the attention and the output of each layer. */
  outputs(ids: Tensor, { mask, positions, cache, causal = true }: GPT2Inputs = {}): GPT2Outputs {
    const embedded = ids.dtype === 'float32' ? ids : this.wte.forward(ids) // [N, L, E]
    if (embedded.rank !== 3) {
      throw new ShapeError(
        `GPT2: the input must be integers [N, L] or embeddings [N, L, E], found ${ids.dtype}${formatShape(ids.shape)}`,
      )
    }
    const length = sizeOf(embedded.shape, 1)
    const places = positions ?? cache?.positions(length)
    const inputs = {
      causal,
      ...(mask && { mask: ops.unsqueeze(ops.unsqueeze(mask, 1), 1) }), // [N, 1, 1, L]
      ...(cache && { cache }),
    }
    let x = this.drop.forward(ops.add(embedded, places ? this.wpe.forward(places) : this.wpe.first(length)))
    const attentions: Tensor[] = []
    const layers: Tensor[] = [x]
    for (const block of this.h) {
      const { output, weights } = block.forward(x, inputs)
      if (weights) attentions.push(weights)
      x = output
      layers.push(x)
    }
    return { hidden: this.ln_f.forward(x), attentions, layers }
  }
}

/** x W^T: [N, L, E] -> [N, L, V], where W is the matrix of an embedding. The state dict lists it under both names. */
class TiedHead extends Module {
  readonly weight: Variable

  constructor({ weight }: Embedding) {
    super()
    this.weight = weight
  }

  forward(x: Tensor): Tensor {
    return ops.linear(x, this.weight)
  }
}

/** Inputs of a GPT-2 with a head. */
export interface GPT2LMInputs extends GPT2Inputs {
  /** Whether to compute the logits of the last token only. Default: false. */
  readonly last?: boolean
}

/** GPT-2 as a language model: the logits of the next token, by the matrix of the embedding. */
export class GPT2LMHeadModel extends Module {
  readonly transformer: GPT2Model
  readonly lm_head: TiedHead

  constructor(config: GPT2Config) {
    super()
    this.transformer = new GPT2Model(config)
    this.lm_head = new TiedHead(this.transformer.wte)
  }

  /** Tokens in a sequence, at most. */
  get maxTokens(): number {
    return this.transformer.wpe.numEmbeddings
  }

  /** ids [N, L] -> logits [N, L, V]; with `last` those of the last token of each row only, [N, 1, V]. */
  forward(ids: Tensor, { last = false, ...inputs }: GPT2LMInputs = {}): Tensor {
    const hidden = this.transformer.forward(ids, inputs) // [N, L, E]
    return this.lm_head.forward(last ? (inputs.cache ?? new AttentionCache(inputs)).last(hidden) : hidden)
  }
}

/**
 * The tensors of a published state dict that `GPT2Model.loadStateDict` takes: without the prefix `transformer.` and the head of a
 * language model, and without the constant masks (`attn.bias`, `attn.masked_bias`) that older files hold.
 */
export function gpt2Weights(state: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  return new Map(
    [...state]
      .filter(([name]) => name !== 'lm_head.weight' && !/\.attn\.(masked_)?bias$/.test(name))
      .map(([name, array]) => [name.replace(/^transformer\./, ''), array]),
  )
}

/**
 * The same for `GPT2LMHeadModel.loadStateDict`, with the prefix or without. Files without a head share the embedding's matrix, as the model
 * does. Throws a UsageError if the head is another matrix.
 */
export function gpt2LMWeights(state: ReadonlyMap<string, NDArray>): Map<string, NDArray> {
  const body = gpt2Weights(state)
  const [embedding, head] = [body.get('wte.weight'), state.get('lm_head.weight')]
  const isShared = !head || !embedding || head.data.every((value, i) => value === embedding.data[i])
  if (!isShared)
    throw new UsageError('GPT2LMHeadModel: the head must be the matrix of the embedding, found another one', {
      hint: 'load the body with gpt2Weights into a GPT2Model, and put a Linear on it',
    })
  const shared = head ?? embedding
  return new Map([
    ...[...body].map(([name, array]) => [`transformer.${name}`, array] as const),
    ...(shared ? [['lm_head.weight', shared] as const] : []),
  ])
}
