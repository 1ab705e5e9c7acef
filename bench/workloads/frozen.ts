/** Frozen and full training of a GPT-2 around which an input and an output layer learn: what freezing saves (Lu et al. 2021). */
import * as ops from '../../src/ops/index.ts'
import { FrozenTransformer } from '../../src/systems/frozen-transformer/model.ts'
import { trainable, type Workload } from '../harness/workload.ts'
import { randomFloats, randomIndices } from './random.ts'

const [batch, tokens, numbers, classes, width, layers, heads] = [16, 64, 48, 10, 256, 6, 8]

function frozenGPT2(isFrozen: boolean): Workload {
  return {
    name: isFrozen ? 'frozen-gpt2' : 'unfrozen-gpt2',
    summary: `${batch} x ${tokens} tokens of ${numbers} numbers, ${layers} layers, width ${width}, ${isFrozen ? 'attention and feed-forward layers frozen' : 'everything learns'}, Adam, clipped to 1`,
    build: () => {
      const model = new FrozenTransformer({
        body: {
          kind: 'gpt2',
          n_embd: width,
          n_layer: layers,
          n_head: heads,
          n_positions: tokens,
          vocab_size: 1,
          embd_pdrop: 0,
          attn_pdrop: 0,
          resid_pdrop: 0,
        },
        input_dim: numbers,
        output_dim: classes,
        dropout: 0,
        freeze_trans: isFrozen,
      })
      return trainable({
        model,
        batch: { x: randomFloats([batch, tokens, numbers], 1), label: randomIndices([batch], classes, 2) },
        forward: ({ x }) => model.forward(x),
        loss: ({ x, label }) => ops.crossEntropy(ops.select(model.forward(x), 0, 1), label),
        optimizer: { kind: 'adam', options: { lr: 1e-3 }, clipNorm: 1 },
      })
    },
  }
}

export const frozenTransformers: readonly Workload[] = [frozenGPT2(true), frozenGPT2(false)]
