/**
 * Pretrained Transformers as Universal Computation Engines (Lu et al., 2021, arXiv 2103.05247): a body whose attention and feed-forward
 * layers stay as they are, with an input and an output layer for a new task (Section 2.2).
 *
 * Shapes: B batch, L rows of d numbers, r pieces of a row, T = L r tokens, E width.
 */
import { Dropout, Embedding, init, type Layer, Linear, Module, ReLU, Sequential } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Variable } from '../../tensor/variable.ts'
import { ShapeError } from '../../util/errors.ts'
import { type Body, type BodyOutputs, makeBody } from './bodies/body.ts'
import type { LSTMState } from './bodies/lstm.ts'
import type { FrozenTransformerConfig } from './config.ts'
import { applyFreezing } from './freezing.ts'

/** The number of positions for a ViT body, whose own are for patches only. */
export const vitPositions = 1024

/** What the model computed on the way. */
export interface FrozenTransformerOutputs extends BodyOutputs {
  readonly out: Tensor
}

/** Input layer, body, output layer. Parameters that do not learn are frozen; `parameters()` lists the others. */
export class FrozenTransformer extends Module {
  readonly config: FrozenTransformerConfig
  readonly vit_pos_embed: Variable | undefined
  readonly sequence_model: Module
  readonly in_net: Embedding | Sequential
  readonly out_net: Sequential
  readonly #body: Body

  constructor(config: FrozenTransformerConfig) {
    super()
    const { body, input_dim, output_dim, in_layer_sizes = [], out_layer_sizes = [], dropout = 0.1 } = config
    this.config = config
    this.#body = makeBody(body, dropout)
    const { model, width } = this.#body
    this.vit_pos_embed = body.kind === 'vit' ? init.parameter([1, vitPositions, width], init.zeros) : undefined
    this.sequence_model = model
    this.in_net = config.use_embeddings_for_in
      ? new Embedding(input_dim, width)
      : new Sequential(
          ...layers([input_dim, ...in_layer_sizes, width], dropout, inputLinear(config.orth_gain)),
          new Dropout(dropout),
        )
    this.out_net = new Sequential(
      ...layers([width, ...out_layer_sizes, output_dim], dropout, (from, to) => new Linear(from, to)),
    )
    applyFreezing(this, config)
  }

  /** x [B, L, d], or integers [B, L] with embeddings -> [B, 1, r output_dim], from the last row only; without return_last_only [B, T, output_dim]. */
  forward(x: Tensor, state?: LSTMState): Tensor {
    return this.outputs(x, state).out
  }

  /** The same, with what was computed on the way. `state`: the initial state of an LSTM body. */
  outputs(x: Tensor, state?: LSTMState): FrozenTransformerOutputs {
    const { return_last_only = true } = this.config
    const { tokens, pieces } = this.#tokens(x) // [B, T, input_dim]
    const embedded = this.#withPositions(this.in_net.forward(tokens)) // [B, T, E]
    const { hidden, ...inside } = this.#body.encode(embedded, state) // [B, T, E]
    const length = sizeOf(hidden.shape, 1)
    const read = return_last_only ? ops.slice(hidden, [length - pieces, length], 1) : hidden
    const out = this.out_net.forward(read) // [B, r, output_dim]
    return { hidden, ...inside, out: return_last_only ? ops.reshape(out, [sizeOf(out.shape, 0), 1, -1]) : out }
  }

  /** Cuts rows that are longer than a token into consecutive pieces. */
  #tokens(x: Tensor): { readonly tokens: Tensor; readonly pieces: number } {
    const { input_dim, use_embeddings_for_in = false } = this.config
    const isIntegers = x.dtype !== 'float32'
    if (isIntegers !== use_embeddings_for_in || x.rank !== (isIntegers ? 2 : 3)) {
      throw new ShapeError(
        `FrozenTransformer: the input must be ${use_embeddings_for_in ? 'integers [batch, tokens]' : 'float32[batch, rows, numbers]'}, found ${x.dtype}${formatShape(x.shape)}`,
      )
    }
    if (isIntegers) return { tokens: x, pieces: 1 }
    const [batch, rows, numbers] = [sizeOf(x.shape, 0), sizeOf(x.shape, 1), sizeOf(x.shape, 2)]
    const pieces = numbers / input_dim
    if (!Number.isInteger(pieces) || pieces === 0) {
      throw new ShapeError(
        `FrozenTransformer: the numbers of a row must be a multiple of input_dim = ${input_dim}, found ${numbers}`,
      )
    }
    return { tokens: ops.reshape(x, [batch, rows * pieces, input_dim]), pieces }
  }

  /** Adds the positions that a ViT body lacks. A GPT-2 and a BERT add their own. */
  #withPositions(embedded: Tensor): Tensor {
    const length = sizeOf(embedded.shape, 1)
    const positions = this.vit_pos_embed ? vitPositions : (this.#body.positions ?? length)
    if (length > positions)
      throw new ShapeError(`FrozenTransformer: the body has positions for ${positions} tokens, found ${length}`)
    return this.vit_pos_embed ? ops.add(embedded, ops.slice(this.vit_pos_embed, [0, length], 1)) : embedded
  }
}

/** Linear maps from each width to the next, with ReLU and dropout between them, so that their keys are 0, 3, 6, ... */
function layers(widths: readonly number[], dropout: number, linear: (from: number, to: number) => Linear): Layer[] {
  return widths.slice(1).flatMap((to, i) => {
    const map = linear(widths[i] ?? to, to)
    return i === 0 ? [map] : [new ReLU(), new Dropout(dropout), map]
  })
}

/** Linear maps of the input layer: orthogonal, biases 0. */
function inputLinear(gain: number | null = 1.41): (from: number, to: number) => Linear {
  const start = gain !== null && { initWeight: (shape: readonly number[]) => init.orthogonal(shape, { gain }) }
  return (from, to) => new Linear(from, to, { ...start, initBias: init.zeros })
}
