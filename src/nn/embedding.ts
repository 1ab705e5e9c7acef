import * as ops from '../ops/index.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Variable } from '../tensor/variable.ts'
import { optionsOf, requireCount, requireWhole, requireWithin } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { type Initializer, normal, parameter } from './init.ts'
import { Module } from './module.ts'

/** Options of an embedding. */
export interface EmbeddingLayerOptions {
  /** The row used for padding: it begins at 0 and gets no gradient. A negative index counts from the end. Default: none. */
  readonly paddingIndex?: number
  /** Initial values of the table. Default: standard normal. */
  readonly initWeight?: Initializer
}

/** Rows of a table by index: integers [...] -> [..., embeddingDim]; weight [numEmbeddings, embeddingDim]. */
export class Embedding extends Module {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly paddingIndex: number | undefined
  readonly weight: Variable

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingLayerOptions) {
    super()
    const { paddingIndex, initWeight = normal } = optionsOf(
      'Embedding',
      options,
      {
        paddingIndex: true,
        initWeight: true,
      },
      UsageError,
    )
    requireCount('Embedding', 'numEmbeddings', numEmbeddings, 0, UsageError)
    requireCount('Embedding', 'embeddingDim', embeddingDim, 0, UsageError)
    if (paddingIndex !== undefined) {
      requireWhole('Embedding', 'paddingIndex', paddingIndex, UsageError)
      requireWithin('Embedding', 'paddingIndex', paddingIndex, [-numEmbeddings, numEmbeddings - 1], UsageError)
    }
    this.numEmbeddings = numEmbeddings
    this.embeddingDim = embeddingDim
    this.paddingIndex = paddingIndex
    this.weight = parameter([numEmbeddings, embeddingDim], (shape) => {
      const values = initWeight(shape)
      if (paddingIndex === undefined) return values
      const row = paddingIndex < 0 ? paddingIndex + numEmbeddings : paddingIndex
      return values.fill(0, row * embeddingDim, (row + 1) * embeddingDim)
    })
  }

  forward(index: Tensor): Tensor {
    const { paddingIndex } = this
    return ops.embedding(index, this.weight, paddingIndex === undefined ? {} : { paddingIndex })
  }
}
