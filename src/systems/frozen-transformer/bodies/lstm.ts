/**
 * The layer-norm LSTM that the paper compares with (Section 3.4), with the names of the official code.
 *
 * Shapes: B batch, T steps, E width.
 */
import { Dropout, init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { formatShape, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { ShapeError, UsageError } from '../../../util/errors.ts'

/** Uniform within 1 / sqrt(n), which the official code fills everything with, gains of norms too. */
function uniformWithin(n: number): init.Initializer {
  const bound = 1 / Math.sqrt(n)
  return (shape) => init.uniform(shape, { low: -bound, high: bound })
}

/** alpha (x - mean) / sqrt(variance + 1e-6) + beta, the variance being the unbiased one. */
class UnbiasedLayerNorm extends Module {
  readonly alpha
  readonly beta

  constructor(width: number) {
    super()
    this.alpha = init.parameter([1, width], uniformWithin(width))
    this.beta = init.parameter([1, width], uniformWithin(width))
  }

  /** [..., width] -> [..., width] */
  forward(x: Tensor): Tensor {
    const width = sizeOf(this.alpha.shape, 1)
    // The unbiased variance is n / (n - 1) of the one that layerNorm takes: the root of that ratio goes into alpha.
    const ratio = (width - 1) / width
    const [weight, bias] = [ops.reshape(this.alpha, [width]), ops.reshape(this.beta, [width])]
    return ops.layerNorm(x, [width], { weight: ops.mul(weight, Math.sqrt(ratio)), bias, eps: 1e-6 * ratio })
  }
}

/** One layer; each projection and the cell are normalised. */
class LayerNormLSTMCell extends Module {
  readonly i2h: Linear
  readonly h2h: Linear
  readonly ln_h2h: UnbiasedLayerNorm
  readonly ln_i2h: UnbiasedLayerNorm
  readonly ln_cell: UnbiasedLayerNorm
  readonly dropout: Dropout

  constructor(width: number, dropout: number) {
    super()
    const start = uniformWithin(width)
    this.i2h = new Linear(width, 4 * width, { initWeight: start, initBias: start })
    this.h2h = new Linear(width, 4 * width, { initWeight: start, initBias: start })
    this.ln_h2h = new UnbiasedLayerNorm(4 * width)
    this.ln_i2h = new UnbiasedLayerNorm(4 * width)
    this.ln_cell = new UnbiasedLayerNorm(width)
    this.dropout = new Dropout(dropout)
  }

  /** x [B, T, E], first states [B, E] -> hidden states [B, T, E]. */
  forward(x: Tensor, h0: Tensor, c0: Tensor): Tensor {
    const width = sizeOf(x.shape, 2)
    const fromInput = this.ln_i2h.forward(this.i2h.forward(x)) // [B, T, 4 E]
    let [h, c] = [h0, c0]
    const states = Array.from({ length: sizeOf(x.shape, 1) }, (_, t) => {
      const gates = ops.add(ops.select(fromInput, t, 1), this.ln_h2h.forward(this.h2h.forward(h))) // [B, 4 E]
      const [i, f, o] = ops.chunk(ops.sigmoid(ops.slice(gates, [0, 3 * width], 1)), 3, 1)
      const g = ops.tanh(ops.slice(gates, [3 * width, 4 * width], 1))
      c = this.ln_cell.forward(ops.add(ops.mul(c, f), ops.mul(i, g))) // [B, E], carried on normalised
      h = this.dropout.forward(ops.mul(o, ops.tanh(c))) // [B, E], carried on with its dropout
      return h
    })
    return ops.stack(states, 1)
  }
}

/** The first states of every layer, [layers, B, E] each. */
export interface LSTMState {
  readonly h: Tensor
  readonly c: Tensor
}

/** Layers of it on top of each other. */
export class LayerNormLSTM extends Module {
  readonly params: readonly LayerNormLSTMCell[]

  constructor(width: number, layers: number, dropout = 0) {
    super()
    if (width < 2) throw new UsageError(`LayerNormLSTM: the width must be at least 2, found ${width}`)
    this.params = Array.from({ length: layers }, () => new LayerNormLSTMCell(width, dropout))
  }

  /** x [B, T, E] -> [B, T, E]. Without a state one is drawn at every call, in evaluation too, as in the official code. */
  forward(x: Tensor, state?: LSTMState): Tensor {
    const [batch, width] = [sizeOf(x.shape, 0), sizeOf(x.shape, 2)]
    const wanted = [this.params.length, batch, width]
    const { h, c } = state ?? { h: drawnState(wanted), c: drawnState(wanted) }
    for (const [name, { shape }] of Object.entries({ h, c })) {
      if (formatShape(shape) !== formatShape(wanted))
        throw new ShapeError(`LayerNormLSTM: ${name} must be ${formatShape(wanted)}, found ${formatShape(shape)}`)
    }
    return this.params.reduce((tokens, layer, i) => layer.forward(tokens, ops.select(h, i, 0), ops.select(c, i, 0)), x)
  }
}

/** Normal, with a variance of 2 / (inputs + hidden). */
function drawnState(shape: readonly number[]): Tensor {
  return ops.randomNormal(shape, { std: Math.sqrt(1 / sizeOf(shape, 2)) })
}
