import * as ops from '../ops/index.ts'
import { sameShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireOneOf, requireWithin } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { type Initializer, parameter, uniform } from './init.ts'
import { Module } from './module.ts'

/** Options of recurrent layers. */
export interface RecurrentLayerOptions {
  /** Number of stacked layers. Default: 1. */
  readonly numLayers?: number
  /** Whether the cells have biases. Default: true. */
  readonly bias?: boolean
  /** Dropout in training on the outputs of all layers but the last. Default: 0. */
  readonly dropout?: number
  /** Whether each layer has a second cell that runs from the last step to the first. Default: false. */
  readonly bidirectional?: boolean
}

const optionNames = { numLayers: true, bias: true, dropout: true, bidirectional: true } as const

/** The outputs of recurrent layers. D is 2 if bidirectional, else 1. */
export interface RecurrentOutput {
  /** Output of the last layer at every step, [N, T, D hidden]; both directions are concatenated. */
  readonly output: Tensor
  /** Last hidden state of every layer and direction, [layers D, N, hidden]. */
  readonly h: Tensor
}

interface CellResult extends ops.Recurrent {
  readonly c?: Tensor
}

interface CellState {
  readonly reverse: boolean
  readonly h?: Tensor
  readonly c?: Tensor
}

/** PyTorch's names: `weight_ih_l0`, `bias_hh_l1_reverse`, ... */
type WeightName = `${'weight' | 'bias'}_${'ih' | 'hh'}_l${string}`

/** Stacked layers, in one or both directions, of one kind of cell. Initial weights are uniform within 1 / sqrt(hiddenSize), as in PyTorch. */
abstract class RecurrentLayer extends Module {
  readonly [name: WeightName]: Variable
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
  readonly dropout: number
  readonly bidirectional: boolean

  constructor(gates: number, inputSize: number, hiddenSize: number, options: RecurrentLayerOptions) {
    super()
    const { numLayers = 1, bias = true, dropout = 0, bidirectional = false } = options
    for (const [argument, count] of Object.entries({ inputSize, hiddenSize, numLayers }))
      requireCount(this.constructor.name, argument, count, 1, UsageError)
    requireWithin(this.constructor.name, 'dropout', dropout, [0, 1], UsageError)
    this.inputSize = inputSize
    this.hiddenSize = hiddenSize
    this.numLayers = numLayers
    this.dropout = dropout
    this.bidirectional = bidirectional
    const bound = 1 / Math.sqrt(hiddenSize)
    const start: Initializer = (shape) => uniform(shape, { low: -bound, high: bound })
    for (const [cell, suffix] of this.suffixes().entries()) {
      const width = cell < this.directions ? inputSize : hiddenSize * this.directions
      const weights: Record<WeightName, Variable> = {
        [`weight_ih_${suffix}`]: parameter([gates * hiddenSize, width], start),
        [`weight_hh_${suffix}`]: parameter([gates * hiddenSize, hiddenSize], start),
      }
      if (bias) {
        weights[`bias_ih_${suffix}`] = parameter([gates * hiddenSize], start)
        weights[`bias_hh_${suffix}`] = parameter([gates * hiddenSize], start)
      }
      Object.assign(this, weights)
    }
  }

  protected get directions(): number {
    return this.bidirectional ? 2 : 1
  }

  /** `l0`, `l0_reverse`, `l1`, ...: layer by layer, in both directions. */
  protected suffixes(): `l${string}`[] {
    return Array.from({ length: this.numLayers }, (_, layer) => layer).flatMap((layer) =>
      this.bidirectional ? [`l${layer}` as const, `l${layer}_reverse` as const] : [`l${layer}` as const],
    )
  }

  protected abstract cell(x: Tensor, weights: ops.RecurrentWeights, state: CellState): CellResult

  /** Runs all cells. h0, c0: [layers D, N, hidden]. */
  protected run(x: Tensor, h0?: Tensor, c0?: Tensor): RecurrentOutput & { readonly c: Tensor | undefined } {
    const suffixes = this.suffixes()
    const [hs, cs] = [this.#initial('h', h0, x), this.#initial('c', c0, x)]
    const results: CellResult[] = []
    let input = x // [N, T, width]
    for (let layer = 0; layer < this.numLayers; layer++) {
      const first = layer * this.directions
      const cells = suffixes.slice(first, first + this.directions).map((suffix, direction) => {
        const [h, c] = [hs[first + direction], cs[first + direction]]
        return this.cell(input, this.#weights(suffix), { reverse: direction === 1, ...(h && { h }), ...(c && { c }) })
      })
      results.push(...cells)
      input = ops.concat(
        cells.map(({ output }) => output),
        -1,
      )
      const isLast = layer === this.numLayers - 1
      if (!isLast) input = ops.dropout(input, this.dropout, { training: this.training })
    }
    const last = results.flatMap(({ c }) => (c ? [c] : []))
    return {
      output: input,
      h: ops.stack(results.map(({ h }) => h)),
      c: last.length > 0 ? ops.stack(last) : undefined,
    }
  }

  #weights(suffix: `l${string}`): ops.RecurrentWeights {
    const [weightIh, weightHh] = [this[`weight_ih_${suffix}`], this[`weight_hh_${suffix}`]]
    if (!weightIh || !weightHh) throw new ShapeError(`${this.constructor.name}: has no weights "${suffix}"`)
    return { weightIh, weightHh, biasIh: this[`bias_ih_${suffix}`], biasHh: this[`bias_hh_${suffix}`] }
  }

  #initial(name: string, state: Tensor | undefined, x: Tensor): readonly Tensor[] {
    if (!state) return []
    const count = this.numLayers * this.directions
    const [batch = 0] = x.shape
    if (!sameShape(state.shape, [count, batch, this.hiddenSize])) {
      throw new ShapeError(
        `${this.constructor.name}: ${name} must be [layers * directions, batch, hidden] = [${count}, ${batch}, ${this.hiddenSize}], found ${state}`,
      )
    }
    return Array.from({ length: count }, (_, i) => ops.squeeze(ops.slice(state, [i, i + 1], 0), 0))
  }
}

/** Long short-term memory (Hochreiter and Schmidhuber 1997), x [N, T, inputSize]; gates in the order input, forget, cell, output. */
export class LSTM extends RecurrentLayer {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentLayerOptions) {
    super(4, inputSize, hiddenSize, optionsOf('LSTM', options, optionNames, UsageError))
  }

  protected override cell(x: Tensor, weights: ops.RecurrentWeights, state: CellState): CellResult {
    return ops.lstm(x, weights, state)
  }

  /** state: hidden and cell states before the first step, [layers D, N, hidden] each; zeros unless given. */
  forward(x: Tensor, state?: { readonly h: Tensor; readonly c: Tensor }): RecurrentOutput & { readonly c: Tensor } {
    const { output, h, c } = this.run(x, state?.h, state?.c)
    if (!c) throw new ShapeError('LSTM: there must be at least one layer')
    return { output, h, c }
  }
}

/** Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078), x [N, T, inputSize]; gates in the order reset, update, new. */
export class GRU extends RecurrentLayer {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentLayerOptions) {
    super(3, inputSize, hiddenSize, optionsOf('GRU', options, optionNames, UsageError))
  }

  protected override cell(x: Tensor, weights: ops.RecurrentWeights, state: CellState): CellResult {
    return ops.gru(x, weights, state)
  }

  /** h: states before the first step, [layers D, N, hidden]; zeros unless given. */
  forward(x: Tensor, h?: Tensor): RecurrentOutput {
    const result = this.run(x, h)
    return { output: result.output, h: result.h }
  }
}

/** Elman's recurrent network (Elman 1990), h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu; x [N, T, inputSize]. */
export class RNN extends RecurrentLayer {
  readonly nonlinearity: 'tanh' | 'relu'

  constructor(
    inputSize: number,
    hiddenSize: number,
    options?: RecurrentLayerOptions & { readonly nonlinearity?: 'tanh' | 'relu' },
  ) {
    const given = optionsOf('RNN', options, { ...optionNames, nonlinearity: true }, UsageError)
    super(1, inputSize, hiddenSize, given)
    this.nonlinearity = given.nonlinearity ?? 'tanh'
    requireOneOf('RNN', 'nonlinearity', this.nonlinearity, ['tanh', 'relu'], UsageError)
  }

  protected override cell(x: Tensor, weights: ops.RecurrentWeights, state: CellState): CellResult {
    return ops.rnn(x, weights, { ...state, nonlinearity: this.nonlinearity })
  }

  /** h: states before the first step, [layers D, N, hidden]; zeros unless given. */
  forward(x: Tensor, h?: Tensor): RecurrentOutput {
    const result = this.run(x, h)
    return { output: result.output, h: result.h }
  }
}
