/** FNet's layers that mix tokens, one argument apart: Fourier transform, attention, learned or fixed random matrices, none. */

import { attendByHeads, type Mixed } from '../../models/transformer.ts'
import { init, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../util/errors.ts'
import { type JaxKey, jaxKey, jaxLecunNormal, splitKey } from '../../util/jax-random.ts'
import type { FNetConfig } from './config.ts'

/** The official initialisation of most weights: N(0, 0.02). */
export const small: init.Initializer = (shape) => init.normal(shape, { std: 0.02 })

/** A linear layer with the official initialisation. Default: biases begin at 0. */
export const dense = (from: number, to: number, initBias: init.Initializer = init.zeros): Linear =>
  new Linear(from, to, { initWeight: small, initBias })

/** Tokens of each example that are not padding: bool [B, L]. Only attention uses it. */
export type TokenMask = Tensor

/** A layer that mixes tokens: [B, L, H] -> [B, L, H]. */
export type Mixing = Module & { forward(x: Tensor, mask?: TokenMask): Mixed }

/** y = Re(F_L F_H x): no parameters, no mask. */
class FourierMixing extends Module {
  forward(x: Tensor): Mixed {
    return { output: ops.fft2Real(x) }
  }
}

class NoMixing extends Module {
  forward(x: Tensor): Mixed {
    return { output: x }
  }
}

/** y = seq_kernel x hidden_kernel: learned, or random and fixed. The number of tokens cannot change. */
class MatrixMixing extends Module {
  readonly hidden_kernel
  readonly seq_kernel

  constructor({ d_model, max_seq_length, model_arch, random_seed = 0 }: FNetConfig, layer: number) {
    super()
    const [hiddenKey, sequenceKey] = splitKey(mixingKey(random_seed, layer))
    const make = (size: number, key: JaxKey) =>
      model_arch === 'linear'
        ? init.parameter([size, size], small)
        : init.buffer([size, size], () => jaxLecunNormal(key, size, size))
    this.hidden_kernel = make(d_model, hiddenKey)
    this.seq_kernel = make(max_seq_length, sequenceKey)
  }

  forward(x: Tensor): Mixed {
    const [length, tokens] = [sizeOf(this.seq_kernel.shape, 0), sizeOf(x.shape, 1)]
    if (tokens !== length) {
      throw new ShapeError(`FNet: linear and random mixing need exactly ${length} tokens, found ${tokens}`, {
        hint: 'pad the input to max_seq_length',
      })
    }
    return { output: ops.matmul(ops.matmul(this.seq_kernel, x), this.hidden_kernel) }
  }
}

/** The key of a layer's mixing: each layer splits the chain of keys once. */
function mixingKey(seed: number, layer: number): JaxKey {
  let [chain, key] = splitKey(jaxKey(seed))
  for (let i = 0; i < layer; i++) [chain, key] = splitKey(chain)
  return key
}

/** Self-attention as BERT's. */
class SelfAttention extends Module {
  readonly query: Linear
  readonly key: Linear
  readonly value: Linear
  readonly dense: Linear
  readonly #heads: number
  readonly #dropout: number
  readonly #masking: 'pairs' | 'keys'

  constructor({ d_model, num_heads, mixing_dropout_rate, port }: FNetConfig) {
    super()
    if (d_model % num_heads !== 0) {
      throw new UsageError(`model.d_model must be a multiple of model.num_heads, found ${d_model} and ${num_heads}`)
    }
    const make = (): Linear => dense(d_model, d_model, small)
    this.query = make()
    this.key = make()
    this.value = make()
    this.dense = make()
    this.#heads = num_heads
    this.#dropout = mixing_dropout_rate
    this.#masking = port?.attention_mask ?? 'pairs'
  }

  forward(x: Tensor, mask?: TokenMask): Mixed {
    const scores = mask && maskScores(mask, this.#masking) // [B, 1, L or 1, L]
    const queries = this.#ofReal(this.query.forward(x), mask)
    const { output, weights } = attendByHeads(queries, this.key.forward(x), this.value.forward(x), {
      heads: this.#heads,
      dropout: this.training ? this.#dropout : 0,
      ...(scores && { mask: scores }),
    })
    return { output: this.dense.forward(output), weights } // [B, L, H], [B, heads, L, L]
  }

  /** With `pairs` all scores of a padding query are one constant, so that nothing flows back through them (flax). */
  #ofReal(queries: Tensor, mask?: TokenMask): Tensor {
    if (!mask || this.#masking === 'keys') return queries
    return ops.mul(queries, ops.cast(ops.unsqueeze(mask, 2), 'float32')) // [B, L, H]
  }
}

/**
 * What is added to the scores: 0 where a query may attend to a key, else a very negative number, which matters only where a row has nothing
 * else. With `pairs` a padding query therefore attends to all positions equally, padding too (flax).
 */
function maskScores(mask: TokenMask, masking: 'pairs' | 'keys'): Tensor {
  const rows = ops.unsqueeze(mask, 1) // [B, 1, L]
  const keys = ops.unsqueeze(rows, 2) // [B, 1, 1, L]
  return ops.where(masking === 'keys' ? keys : ops.logicalAnd(ops.unsqueeze(rows, 3), keys), 0, -1e10)
}

/** The mixing layer of one block. */
export function mixingOf(config: FNetConfig, layer: number, attends: boolean): Mixing {
  if (attends) return new SelfAttention(config)
  if (config.model_arch === 'f_net') return new FourierMixing()
  return config.model_arch === 'ff_only' ? new NoMixing() : new MatrixMixing(config, layer)
}
