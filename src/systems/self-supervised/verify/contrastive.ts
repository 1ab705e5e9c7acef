/** Reference cases of contrastive methods: SimCLR's loss, MoCo's steps, PIRL's memory. */
import { compile } from '../../../compile/compile.ts'
import { Identity } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import { inputNamed, runModelCase } from '../../../verify/model-case.ts'
import {
  booleanSetting,
  type CaseTargetRule,
  choiceSetting,
  fixedSetting,
  nestedSettings,
  numberSetting,
  numbersSetting,
  type ReferenceCase,
  requiredTensor,
  type Settings,
  tensorsBelow,
  withoutEffect,
} from '../../../verify/target.ts'
import { MLPEncoder } from '../encoder.ts'
import { MoCo } from '../methods/moco.ts'
import { NCELossWithMemory } from '../methods/pirl.ts'
import { ntXent } from '../methods/simclr.ts'
import { loadOfficial } from '../official.ts'
import {
  allStored,
  entriesOf,
  type Found,
  gradientPrefix,
  inputArray,
  namedGradients,
  statesOf,
  type stored,
} from './support.ts'

/** The cases' base encoder: l1, ReLU, and an `fc` that the method replaces. */
export function baseEncoder(settings: Settings): MLPEncoder {
  withoutEffect(settings, 'type') // the description in words
  return new MLPEncoder(numberSetting(settings, 'in_dim'), [numberSetting(settings, 'hidden')])
}

async function runNTXent(reference: ReferenceCase): Found {
  const { config } = reference
  const options = {
    hidden_norm: booleanSetting(config, 'hidden_norm', true),
    temperature: numberSetting(config, 'temperature', 1),
    LARGE_NUM: numberSetting(config, 'LARGE_NUM', 1e9),
  }
  const [rows, width] = inputArray(reference, 'hidden').shape
  fixedSetting(config, 'batch', (rows ?? 0) / 2)
  fixedSetting(config, 'dim', width)
  const found = await runModelCase(reference, new Identity(), (inputs) => {
    const { loss, ...shown } = ntXent(inputNamed(inputs, 'hidden'), options)
    return { outputs: { loss, ...shown }, loss }
  })
  return allStored(found)
}

async function runMoCo(reference: ReferenceCase): Found {
  const { config } = reference
  const encoder = nestedSettings(config, 'base_encoder')
  const model = new MoCo(() => baseEncoder(encoder), {
    dim: numberSetting(config, 'dim', 128),
    K: numberSetting(config, 'K', 65_536),
    m: numberSetting(config, 'm', 0.999),
    T: numberSetting(config, 'T', 0.07),
    mlp: booleanSetting(config, 'mlp', false),
  })
  loadOfficial(model, tensorsBelow(reference, 'param/'))
  const step = compile((imQ: Tensor, imK: Tensor) => {
    const { logits, loss } = model.forward([imQ, imK])
    return { outputs: { logits, loss }, gradients: namedGradients(loss, model) }
  })
  const found: [string, ReturnType<typeof stored>][] = []
  for (let s = 0; s < numberSetting(config, 'steps'); s++) {
    const [imQ, imK] = [inputArray(reference, `im_q.${s}`), inputArray(reference, `im_k.${s}`)]
    fixedSetting(config, 'batch', sizeOf(imQ.shape, 0))
    const { outputs, gradients } = await step(imQ, imK)
    found.push(...entriesOf('output/', outputs, `.${s}`), ...entriesOf(gradientPrefix(s), gradients))
    found.push(...statesOf(model, `.${s}`))
  }
  await step.release()
  return new Map(found)
}

async function runMemory(reference: ReferenceCase): Found {
  const { config, tensors } = reference
  const [memory, sampling] = [
    nestedSettings(config, 'memory_params'),
    nestedSettings(config, 'negative_sampling_params'),
  ]
  withoutEffect(sampling, 'type') // the negatives are given
  withoutEffect(memory, 'memory_size') // VISSL sets it to the number of samples
  const initial = requiredTensor(tensors, 'state/memory')
  const model = new NCELossWithMemory({
    num_train_samples: numberSetting(config, 'num_train_samples'),
    embedding_dim: numberSetting(memory, 'embedding_dim'),
    temperature: numberSetting(config, 'temperature'),
    momentum: numberSetting(memory, 'momentum'),
    loss_type: choiceSetting(config, 'loss_type', ['nce', 'cross_entropy'], 'nce'),
    norm_constant: numberSetting(config, 'norm_constant', -1),
    norm_embedding: booleanSetting(config, 'norm_embedding'),
    norm_init: booleanSetting(memory, 'norm_init', true),
    loss_weights: numbersSetting(config, 'loss_weights', [1]),
    update_mem_on_forward: booleanSetting(memory, 'update_mem_on_forward'),
    update_mem_with_emb_index: numberSetting(config, 'update_mem_with_emb_index', -100),
  })
  model.memory.set(initial.data)
  const target = toNumbers(inputArray(reference, 'target').data)
  fixedSetting(config, 'batch', target.length)
  const ignored = numberSetting(config, 'ignore_index', -1)
  const places = target.flatMap((place, i) => (place === ignored ? [] : [i]))
  const count = numbersSetting(config, 'loss_weights', [1]).length
  const found = await runModelCase(reference, model, (inputs) => {
    // What is ignored takes no part; its negatives may be there or not.
    const kept = (x: Tensor): Tensor =>
      sizeOf(x.shape, 0) === places.length ? x : ops.indexSelect(x, tensor(places, 'int64'), 0)
    const embeddings = Array.from({ length: count }, (_, i) => kept(inputNamed(inputs, `embedding.${i}`)))
    const negatives = Array.from({ length: count }, (_, i) => kept(inputNamed(inputs, `negative_idx.${i}`)))
    for (const { shape } of negatives) fixedSetting(sampling, 'num_negatives', sizeOf(shape, 1) - 1)
    const loss = model.forward(embeddings, kept(inputNamed(inputs, 'target')), negatives)
    return { outputs: { loss }, loss }
  })
  return new Map([...allStored(found), ...statesOf(model)])
}

export const contrastiveTargets: readonly CaseTargetRule[] = [
  { target: /^add_contrastive_loss/, run: runNTXent },
  { target: /^MoCo\.forward/, run: runMoCo },
  { target: /^NCELossWithMemory/, run: runMemory },
]
