/** Reference cases of the models: several blocks with the memory carried between them. */
import type { NDArray } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { type CaseTargetRule, fixedSetting, type ReferenceCase, requiredTensor, rowAt } from '../../../verify/target.ts'
import { type AnyModel, CompressiveTransformer, ExpireSpan, TransformerSeq } from '../model.ts'
import { blockRunner, drawsOf, firstMemories, statesOf } from './blocks.ts'
import { compressiveConfig, expireSpanConfig, parametersOf, transformerSeqConfig } from './configuration.ts'

/** Log probabilities and memories of each block; the gradients of the losses of all blocks together. */
async function runBlocks(reference: ReferenceCase, model: AnyModel): Promise<Map<string, NDArray>> {
  const { config, mode, tensors } = reference
  const [tokens, targets] = ['tokens', 'targets'].map((name) => requiredTensor(tensors, `input/${name}`)) as [
    NDArray,
    NDArray,
  ]
  const [blocks, batch] = [sizeOf(tokens.shape, 0), sizeOf(tokens.shape, 1)]
  fixedSetting(config, 'n_blocks', blocks)
  fixedSetting(config, 'batch', batch)
  fixedSetting(config, 'data_omit_label_idx', null)
  model.loadStateDict(parametersOf(reference))
  model.train(mode === 'train')
  const draws = drawsOf(reference, model.layers.length)
  const { step, release } = blockRunner(model)
  const found = new Map<string, NDArray>()
  let memories = firstMemories(model, batch)
  let loss = 0
  for (let b = 0; b < blocks; b++) {
    const run = await step(rowAt(tokens, b), rowAt(targets, b), memories, draws(b))
    memories = run.memories
    loss += run.loss
    found.set(`output/log_probs_${b}`, run.logProbs).set(`output/aux_loss_${b}`, run.auxLoss)
    for (const [name, array] of statesOf(`block${b}`, memories)) found.set(name, array)
    for (const [name, array] of run.gradients) found.set(`grad/${name}`, sumOf(found.get(`grad/${name}`), array))
  }
  await release()
  return found.set('output/loss', { dtype: 'float32', shape: [1], data: Float32Array.of(loss) })
}

function sumOf(total: NDArray | undefined, { dtype, shape, data }: NDArray): NDArray {
  const values = data as Float32Array
  return { dtype, shape, data: values.map((value, i) => value + Number(total?.data[i] ?? 0)) }
}

export const modelTargets: readonly CaseTargetRule[] = [
  {
    target: 'models.expire_span.ExpireSpan',
    run: async (reference) => runBlocks(reference, new ExpireSpan(expireSpanConfig(reference))),
  },
  {
    target: 'models.transformer_seq.TransformerSeq',
    run: async (reference) => runBlocks(reference, new TransformerSeq(transformerSeqConfig(reference))),
  },
  {
    target: 'models.compressive.CompressiveTransformer',
    run: async (reference) => runBlocks(reference, new CompressiveTransformer(compressiveConfig(reference))),
  },
]
