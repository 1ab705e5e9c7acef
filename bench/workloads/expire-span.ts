/** Expire-Span as `expire-span/characters` trains it: a block of 64 tokens with 256 memories in each layer, some of which have expired. */
import { Module } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { ExpireSpan } from '../../src/systems/expire-span/model.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { Variable } from '../../src/tensor/variable.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [batch, tokens, memories, width, layers, vocabulary] = [16, 64, 256, 128, 4, 84]

/** What an earlier block has left. */
const given = (shape: readonly number[], data: Float32Array): Variable =>
  new Variable(shape, { data, trainable: false })

/** The model with a memory that does not change. */
class Reader extends Module {
  readonly model = new ExpireSpan({
    hid_sz: width,
    inner_hid_sz: 512,
    nlayers: layers,
    mem_sz: tokens,
    nheads: 4,
    head_dim: 0,
    dropout: 0,
    attn_lim: 1024,
    pre_norm: false,
    vocab_sz: vocabulary,
    expire_span: true,
    expire_span_loss: 1e-6,
    expire_span_ramp: 32,
    expire_span_init_percentage: 0.1,
    expire_span_noisy: false,
    expire_span_pre_div: 1,
    expire_span_layerdrop: 0,
  })
  readonly hidden = Array.from({ length: layers }, (_, layer) =>
    given([batch, memories, width], randomFloats([batch, memories, width], 10 + layer).data as Float32Array),
  )
  readonly ages = given(
    [batch, memories],
    Float32Array.from({ length: batch * memories }, (_, i) => memories - (i % memories)),
  )

  /** tokens [batch, tokens] -> log probabilities [batch, tokens, vocabulary], and the span loss of each row. */
  forward(ids: Tensor) {
    return this.model.forward(
      ids,
      this.hidden.map((hidden) => ({ hidden: hidden.value, ages: this.ages.value })),
    )
  }
}

export const expireSpan: Workload = {
  name: 'expire-span',
  summary: `${batch} x ${tokens} tokens, ${memories} memories a layer, width ${width}, ${layers} layers, Adam`,
  build: () => {
    const model = new Reader()
    return trainable({
      model,
      batch: {
        ids: randomIndices([batch, tokens], vocabulary, 1),
        next: randomIndices([batch, tokens], vocabulary, 2),
      },
      forward: ({ ids }) => model.forward(ids).logProbs,
      loss: ({ ids, next }) => {
        const { logProbs, auxLoss } = model.forward(ids)
        return ops.add(ops.nllLoss(ops.transpose(logProbs), next), ops.mean(auxLoss))
      },
      optimizer: { kind: 'adam', options: { lr: 1e-3 } },
    })
  },
}
