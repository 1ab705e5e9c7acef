/** Recurrent layers, unrolled: one direction, one layer, batch first; PyTorch's gate order and weights. */
import { formatShape, sameShape, sizeOf } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { optionsOf, requireFields, requireOneOf } from '../util/check.ts'
import { ShapeError } from '../util/errors.ts'
import { zeros } from './creation.ts'
import { checked, inputAt, type Operand, toTensor } from './define.ts'
import { add, mul, sub } from './elementwise/binary.ts'
import { sigmoid } from './elementwise/logistic.ts'
import { relu, tanh } from './elementwise/unary.ts'
import { squeeze, transpose } from './movement/movement.ts'
import { split, stack } from './movement/rearrange.ts'
import { linear } from './products/linear.ts'
import { addmmWith } from './products/matmul.ts'

// B batch, T steps, I inputs, H hidden units, G gates (1 in rnn, 3 in gru, 4 in lstm).

/** Gates are stacked along the rows: input, forget, cell, output in lstm; reset, update, new in gru. */
export interface RecurrentWeights {
  /** From the input: [G H, I]. */
  readonly weightIh: Operand
  /** From the hidden state: [G H, H]. */
  readonly weightHh: Operand
  /** [G H] */
  readonly biasIh?: Operand | undefined
  /** [G H] */
  readonly biasHh?: Operand | undefined
}

export interface RecurrentOptions {
  /** The hidden state before the first step, [B, H]. Default: zeros. */
  readonly h?: Operand | undefined
  /** From the last step to the first; outputs stay at the places of their inputs. Default: false. */
  readonly reverse?: boolean
}

export interface LstmOptions extends RecurrentOptions {
  /** The cell state before the first step, [B, H]. Default: zeros. */
  readonly c?: Operand | undefined
}

export interface RnnOptions extends RecurrentOptions {
  readonly nonlinearity?: 'tanh' | 'relu'
}

export interface Recurrent {
  /** The hidden states after each step, [B, T, H]. */
  readonly output: Tensor
  /** The last hidden state, [B, H]. */
  readonly h: Tensor
}

/** Sizes and weights, checked. */
interface Cell {
  readonly batch: number
  readonly hidden: number
  readonly weightHh: Tensor
  readonly biasHh: Tensor | undefined
}

function checkedCell(op: string, x: Tensor, gates: number, weights: RecurrentWeights): Cell {
  requireFields(op, 'weights', weights)
  const [weightIh, weightHh] = [toTensor(op, weights.weightIh), toTensor(op, weights.weightHh)]
  const hidden = weightHh.shape.at(-1)
  const fits =
    hidden !== undefined &&
    x.rank === 3 &&
    sizeOf(x.shape, 1) > 0 &&
    sameShape(weightIh.shape, [gates * hidden, sizeOf(x.shape, 2)]) &&
    sameShape(weightHh.shape, [gates * hidden, hidden])
  if (!fits) {
    const stacked = gates === 1 ? 'H' : `${gates} H`
    throw new ShapeError(
      `${op}: needs x [B, T, I] with T > 0, weightIh [${stacked}, I] and weightHh [${stacked}, H], found ${[x, weightIh, weightHh].map(({ shape }) => formatShape(shape)).join(', ')}`,
    )
  }
  const biasHh = weights.biasHh === undefined ? undefined : toTensor(op, weights.biasHh)
  return { batch: sizeOf(x.shape, 0), hidden, weightHh, biasHh }
}

function initialState(op: string, state: Operand | undefined, { batch, hidden }: Cell): Tensor {
  if (state === undefined) return zeros([batch, hidden])
  const given = toTensor(op, state)
  if (!sameShape(given.shape, [batch, hidden])) {
    throw new ShapeError(
      `${op}: the state must have shape ${formatShape([batch, hidden])}, found ${formatShape(given.shape)}`,
    )
  }
  return given
}

/** What every step takes from the input, [B, G H] each: one product for all steps. */
function inputParts(x: Tensor, weight: Operand, bias: Operand | undefined): Tensor[] {
  const projected = linear(transpose(x, 0, 1), weight, bias) // [T, B, G H]
  return split(projected, 1, 0).map((part) => squeeze(part, 0))
}

/** Runs `step` over the parts in their order, or backward; the results stand in the order of the parts. */
function unroll(parts: readonly Tensor[], reverse: boolean, step: (part: Tensor) => Tensor): Tensor {
  const outputs = (reverse ? parts.toReversed() : parts).map(step)
  return stack(reverse ? outputs.reverse() : outputs, 1) // [B, T, H]
}

function sumOfBiases({ biasIh, biasHh }: RecurrentWeights): Operand | undefined {
  return biasIh !== undefined && biasHh !== undefined ? add(biasIh, biasHh) : (biasIh ?? biasHh)
}

function gateAt(gates: readonly Tensor[], index: number): Tensor {
  return inputAt('gate', gates, index)
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997), x [B, T, I]: i, f, g, o = parts of W_ih x + b_ih + W_hh h + b_hh,
 * c' = sigmoid(f) c + sigmoid(i) tanh(g), h' = sigmoid(o) tanh(c').
 */
export function lstm(x: Operand, weights: RecurrentWeights, options?: LstmOptions): Recurrent & { readonly c: Tensor } {
  const given = optionsOf('lstm', options, { c: true, h: true, reverse: true })
  const input = toTensor('lstm', x)
  return checked(() => {
    const cell = checkedCell('lstm', input, 4, weights)
    let h = initialState('lstm', given.h, cell)
    let c = initialState('lstm', given.c, cell)
    const inputs = inputParts(input, weights.weightIh, sumOfBiases(weights))
    const output = unroll(inputs, given.reverse ?? false, (part) => {
      const sums = addmmWith(part, h, cell.weightHh, { transposeB: true })
      const { hidden } = cell
      // For small matrices the launch of a kernel dominates: gates side by side are one matrix.
      const parts = split(sums, [2 * hidden, hidden, hidden], -1)
      const gates = split(sigmoid(gateAt(parts, 0)), hidden, -1)
      c = add(mul(gateAt(gates, 1), c), mul(gateAt(gates, 0), tanh(gateAt(parts, 1))))
      h = mul(sigmoid(gateAt(parts, 2)), tanh(c))
      return h
    })
    return { output, h, c }
  })
}

/**
 * Gated recurrent unit (Cho et al. 2014), x [B, T, I]. With a = W_ih x + b_ih and b = W_hh h + b_hh in parts r, z, n:
 * r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z), n = tanh(a_n + r b_n), h' = (1 - z) n + z h.
 */
export function gru(x: Operand, weights: RecurrentWeights, options?: RecurrentOptions): Recurrent {
  const given = optionsOf('gru', options, { h: true, reverse: true })
  const input = toTensor('gru', x)
  return checked(() => {
    const cell = checkedCell('gru', input, 3, weights)
    let h = initialState('gru', given.h, cell)
    const parts = inputParts(input, weights.weightIh, weights.biasIh)
    const output = unroll(parts, given.reverse ?? false, (part) => {
      const { hidden } = cell
      const a = split(part, [2 * hidden, hidden], -1)
      const b = split(linear(h, cell.weightHh, cell.biasHh), [2 * hidden, hidden], -1)
      const gates = split(sigmoid(add(gateAt(a, 0), gateAt(b, 0))), hidden, -1)
      const [r, z] = [gateAt(gates, 0), gateAt(gates, 1)]
      const n = tanh(add(gateAt(a, 1), mul(r, gateAt(b, 1))))
      h = add(n, mul(z, sub(h, n)))
      return h
    })
    return { output, h }
  })
}

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu instead of tanh (Elman 1990); x [B, T, I]. */
export function rnn(x: Operand, weights: RecurrentWeights, options?: RnnOptions): Recurrent {
  const given = optionsOf('rnn', options, { nonlinearity: true, h: true, reverse: true })
  const input = toTensor('rnn', x)
  const { nonlinearity: name = 'tanh' } = given
  const nonlinearity = name === 'relu' ? relu : tanh
  return checked(() => {
    requireOneOf('rnn', 'nonlinearity', name, ['tanh', 'relu'])
    const cell = checkedCell('rnn', input, 1, weights)
    let h = initialState('rnn', given.h, cell)
    const parts = inputParts(input, weights.weightIh, sumOfBiases(weights))
    const output = unroll(parts, given.reverse ?? false, (part) => {
      h = nonlinearity(addmmWith(part, h, cell.weightHh, { transposeB: true }))
      return h
    })
    return { output, h }
  })
}
