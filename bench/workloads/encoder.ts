/** Language encoders as BERT (attention) and as FNet (Fourier mixing): norms after the sums, 4,096 tokens a batch. */
import { LearnedPositions } from '../../src/models/positions.ts'
import { type Mixed, TransformerBlock } from '../../src/models/transformer.ts'
import { Embedding, LayerNorm, Linear, Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { sizeOf } from '../../src/tensor/shape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomIndices } from './random.ts'
import { tokenLoss } from './token-loss.ts'

const [tokensInBatch, width, layers, heads, vocabulary] = [4096, 256, 4, 4, 1000]

/** y = Re(F_L F_H x). */
class FourierMixing extends Module {
  forward(x: Tensor): Mixed {
    return { output: ops.fft2Real(x) }
  }
}

class Encoder extends Module {
  readonly token = new Embedding(vocabulary, width)
  readonly position: LearnedPositions
  readonly norm = new LayerNorm(width)
  readonly blocks: readonly TransformerBlock[]
  readonly head = new Linear(width, vocabulary)

  constructor(tokens: number, attends: boolean) {
    super()
    this.position = new LearnedPositions(tokens, width)
    this.blocks = Array.from({ length: layers }, () => {
      return new TransformerBlock(width, { ...(attends ? { heads } : { attn: new FourierMixing() }), norm: 'post' })
    })
  }

  /** [batch, tokens] -> [batch, tokens, vocabulary] */
  forward(ids: Tensor): Tensor {
    let x = this.norm.forward(ops.add(this.token.forward(ids), this.position.first(sizeOf(ids.shape, 1))))
    for (const block of this.blocks) x = block.forward(x)
    return this.head.forward(x)
  }
}

function encoderWorkload(name: string, tokens: number, attends: boolean): Workload {
  const batch = tokensInBatch / tokens
  return {
    name: `${name}-${tokens}`,
    summary: `${batch} x ${tokens} tokens, width ${width}, ${layers} layers, AdamW`,
    build: () => {
      const model = new Encoder(tokens, attends)
      return trainable({
        model,
        batch: {
          ids: randomIndices([batch, tokens], vocabulary, 1),
          original: randomIndices([batch, tokens], vocabulary, 2),
        },
        forward: ({ ids }) => model.forward(ids),
        loss: ({ ids, original }) => tokenLoss(model.forward(ids), original),
        optimizer: { kind: 'adamw', options: { lr: 1e-4, weightDecay: 0.01 } },
      })
    },
  }
}

const lengths = [128, 512, 2048] as const

export const encoders: readonly Workload[] = [
  ...lengths.map((tokens) => encoderWorkload('bert', tokens, true)),
  ...lengths.map((tokens) => encoderWorkload('fnet', tokens, false)),
]
