/** Models that learn the same in Node and in a page: from one seed, on pictures and texts that are made up. */
import { compile } from '../../../src/compile/compile.ts'
import { arrayDataset, type BatchTensors } from '../../../src/data/dataset.ts'
import { DataLoader } from '../../../src/data/loader.ts'
import { ResNet, resnetStems } from '../../../src/models/resnet.ts'
import { GELU, Linear, type Module, Sequential } from '../../../src/nn/index.ts'
import * as ops from '../../../src/ops/index.ts'
import { AdamW } from '../../../src/optim/index.ts'
import type { FNetConfig } from '../../../src/systems/fnet/config.ts'
import { FNetForSequenceClassification } from '../../../src/systems/fnet/model.ts'
import { variantConfig } from '../../../src/systems/mixer/config.ts'
import { Mixer } from '../../../src/systems/mixer/model.ts'
import { isResident, type NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { fetchVariables } from '../../../src/tensor/variable.ts'
import { Generator } from '../../../src/util/random.ts'

interface Definition {
  /** One example. */
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32'
  readonly batchSize: number
  readonly make: () => Module
  readonly logits: (model: Module, x: Tensor) => Tensor
}

const classes = 10

/** The default model of mixer/mnist. */
const mixer = {
  ...variantConfig('S/16', { image: 28, num_classes: classes }),
  ...{ patch_size: [7, 7] as [number, number], in_channels: 1, num_blocks: 4 },
  ...{ hidden_dim: 96, tokens_mlp_dim: 48, channels_mlp_dim: 192 },
}

const fnet: FNetConfig = {
  ...{ model_arch: 'f_net', vocab_size: 200, max_seq_length: 32, type_vocab_size: 2, pad_token_id: 3 },
  ...{ d_emb: 64, d_model: 64, d_ff: 256, num_layers: 2, num_heads: 1, num_attention_layers: 0 },
  ...{ attention_layout: 'top', dropout_rate: 0.1, mixing_dropout_rate: 0.1 },
}

const definitions = {
  mixer: {
    ...{ shape: [1, 28, 28], dtype: 'float32', batchSize: 64 },
    make: () => new Mixer(mixer),
    logits: (model, x) => (model as Mixer).forward(x),
  },
  fnet: {
    ...{ shape: [32], dtype: 'int32', batchSize: 16 },
    make: () => new FNetForSequenceClassification(fnet, classes),
    logits: (model, x) =>
      (model as FNetForSequenceClassification).forward(
        x,
        tensor({ dtype: 'int32', shape: x.shape, data: new Int32Array(x.size) }),
      ),
  },
  /** With batch norm. */
  resnet: {
    ...{ shape: [1, 16, 16], dtype: 'float32', batchSize: 16 },
    make: () =>
      new ResNet({
        block: 'basic',
        layers: [1, 1],
        width: 8,
        stem: resnetStems.small,
        inChannels: 1,
        numClasses: classes,
      }),
    logits: (model, x) => (model as ResNet).forward(x),
  },
  tiny: {
    ...{ shape: [8], dtype: 'float32', batchSize: 16 },
    make: () => new Sequential(new Linear(8, 16), new GELU(), new Linear(16, classes)),
    logits: (model, x) => (model as Sequential).forward(x),
  },
  /** Much state beside little work: 0.9 million parameters. */
  wide: {
    ...{ shape: [8], dtype: 'float32', batchSize: 4 },
    make: () =>
      new Sequential(new Linear(8, 900), new GELU(), new Linear(900, 900), new GELU(), new Linear(900, classes)),
    logits: (model, x) => (model as Sequential).forward(x),
  },
} as const satisfies Record<string, Definition>

export type LearnerName = keyof typeof definitions

async function sha256(arrays: readonly NDArray[]): Promise<string> {
  const parts = arrays.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A model with its batches and its training step. */
export function newLearner(name: LearnerName) {
  const { shape, dtype, batchSize, make, logits }: Definition = definitions[name]
  manualSeed(1)
  const generator = new Generator(5)
  const [examples, size] = [4 * batchSize, shape.reduce((product, each) => product * each, 1)]
  const x: NDArray =
    dtype === 'float32'
      ? { dtype, shape: [examples, ...shape], data: generator.normal(examples * size) }
      : { dtype, shape: [examples, ...shape], data: generator.integers(4, 200, examples * size) }
  const label: NDArray = {
    ...{ dtype: 'int32', shape: [examples] },
    data: generator.integers(0, classes, examples),
  }
  const model = make()
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
  const loader = new DataLoader(arrayDataset({ x, label }), { batchSize, shuffle: true, seed: 2, dropLast: true })
  const run = compile((batch: BatchTensors<'x' | 'label'>) => {
    const loss = ops.crossEntropy(logits(model, batch.x), batch.label)
    optimizer.minimize(loss)
    return loss
  })
  const guess = compile((input: Tensor) => ops.softmax(logits(model, input)))
  async function* steps(): AsyncGenerator<number, never> {
    for (;;) for await (const batch of loader) yield (await run(batch)).item()
  }
  const training = steps()
  return {
    step: async (): Promise<number> => (await training.next()).value,
    /** Hashes of all weights, and of the first four batches of another loader like this one. */
    hashes: async (): Promise<{ weights: string; batches: string }> => {
      const variables = [...model.variables()].map(([, variable]) => variable)
      await fetchVariables(variables)
      const batches: NDArray[] = []
      for await (const batch of new DataLoader(loader.dataset, { batchSize, shuffle: true, seed: 2, dropLast: true }))
        batches.push(batch.x, batch.label)
      return { weights: await sha256(variables.map(({ array }) => array)), batches: await sha256(batches) }
    },
    /** Whether all weights and moments are where only the runtime can read them. */
    stays: (): boolean =>
      [...model.variables(), ...optimizer.variables()].every(
        ([, { dtype, stored }]) => isResident(stored.data) === (dtype === 'float32'),
      ),
    /** Probabilities of the first example. */
    predict: async (): Promise<number[]> =>
      (await guess({ dtype, shape: [1, ...shape], data: x.data.slice(0, size) })).numbers(),
    release: async (): Promise<void> => {
      await run.release()
      await guess.release()
    },
  }
}
