/** A transformer language model: 8 x 256 tokens, width 256, 4 layers, 4 heads, vocabulary 256: 3.36 M parameters. */
import { checkpoint } from '../../src/autodiff/checkpoint.ts'
import { LearnedPositions } from '../../src/models/positions.ts'
import { TransformerBlock } from '../../src/models/transformer.ts'
import { Embedding, LayerNorm, Linear, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomIndices } from './random.ts'
import { tokenLoss } from './token-loss.ts'

const [batch, tokens, width, layers, heads, vocabulary] = [8, 256, 256, 4, 4, 256]

class TransformerLm extends Module {
  readonly #checkpointed: boolean
  readonly token = new Embedding(vocabulary, width)
  readonly position = new LearnedPositions(tokens, width)
  readonly blocks = Array.from({ length: layers }, () => new TransformerBlock(width, { heads }))
  readonly norm = new LayerNorm(width)
  readonly head = new Linear(width, vocabulary)

  constructor(checkpointed: boolean) {
    super()
    this.#checkpointed = checkpointed
  }

  /** [batch, tokens] -> [batch, tokens, vocabulary] */
  forward(ids: Tensor): Tensor {
    let x = ops.add(this.token.forward(ids), this.position.first(sizeOf(ids.shape, 1)))
    for (const block of this.blocks) {
      const forward = (input: Tensor): Tensor => block.forward(input, { causal: true })
      x = this.#checkpointed ? checkpoint(forward, x) : forward(x)
    }
    return this.head.forward(this.norm.forward(x))
  }
}

function languageModel(name: string, checkpointed: boolean): Workload {
  return {
    name,
    summary: `${batch} x ${tokens} tokens, width ${width}, ${layers} layers, ${heads} heads, Adam`,
    build: () => {
      const model = new TransformerLm(checkpointed)
      return trainable({
        model,
        batch: {
          ids: randomIndices([batch, tokens], vocabulary, 1),
          next: randomIndices([batch, tokens], vocabulary, 2),
        },
        forward: ({ ids }) => model.forward(ids),
        loss: ({ ids, next }) => tokenLoss(model.forward(ids), next),
        optimizer: { kind: 'adam', options: { lr: 1e-3 } },
      })
    },
  }
}

export const transformerLm = languageModel('transformer-lm', false)

/** The same, its blocks computed again in the backward pass instead of stored: less memory, more time. */
export const transformerLmCheckpoint = languageModel('transformer-lm-checkpoint', true)
