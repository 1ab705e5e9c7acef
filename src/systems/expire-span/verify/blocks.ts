/** Runs a model block after block, its memory carried as the official code carries it. */
import { gradient } from '../../../autodiff/gradient.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { booleanSetting, type ReferenceCase } from '../../../verify/target.ts'
import { blockReader, type Memories } from '../carried.ts'
import type { AnyModel } from '../model.ts'

/** The loss of log probabilities [B, M, V] at targets [B, M]. */
export type TaskLoss = (logProbs: Tensor, targets: Tensor) => Tensor

/** Mean over batch and time. */
const meanLoss: TaskLoss = (logProbs, targets) => ops.nllLoss(ops.transpose(logProbs), targets)

/** A block as a case gives it. */
interface GivenBlock {
  readonly tokens: Tensor
  readonly targets: Tensor
  readonly draws?: Tensor
}

/** Makes the function that computes a block with its gradients and carries the memory on. */
export function blockRunner(model: AnyModel, lossOf: TaskLoss = meanLoss) {
  const parameters = model.namedParameters()
  const read = blockReader(model, ({ tokens, targets, draws }: GivenBlock, readBlock) => {
    const { logProbs, auxLoss } = readBlock(tokens, draws)
    const taskLoss = lossOf(logProbs, targets)
    const loss = ops.add(taskLoss, ops.mean(auxLoss))
    return { logProbs, auxLoss, taskLoss, loss, gradients: gradient(loss, [...parameters.values()]) }
  })
  const step = async (tokens: NDArray, targets: NDArray, memories: Memories, draws?: NDArray) => {
    const given = { tokens, targets, ...(draws && { draws }) } as unknown as GivenBlock
    const { result, next } = await read(given, memories)
    const arrays = [...result.gradients].map(({ array }) => array)
    return {
      logProbs: result.logProbs.array,
      auxLoss: result.auxLoss.array,
      loss: result.loss.item(),
      taskLoss: result.taskLoss.item(),
      memories: next,
      gradients: new Map([...parameters.keys()].flatMap((name, i) => (arrays[i] ? [[name, arrays[i]] as const] : []))),
    }
  }
  return { step, release: () => read.compiled.release() }
}

/** What each layer remembers before the first block. */
export function firstMemories(model: AnyModel, batch: number): Memories {
  return model.layers.map(() => model.initialMemory(batch))
}

/** The official names of what a layer remembers. */
const stateNames: Readonly<Record<string, string>> = { hidden: 'h', ages: 'counter', compressed: 'c' }

/** The memories by their names in a case: PREFIX_h0, PREFIX_counter0, ... */
export function statesOf(prefix: string, memories: Memories): [string, NDArray][] {
  return memories.flatMap((memory, layer) =>
    Object.entries(memory).map(([name, array]): [string, NDArray] => [
      `state/${prefix}_${stateNames[name] ?? name}${layer}`,
      array,
    ]),
  )
}

/**
 * The random numbers of block b, [1 + layers]. The official code draws the noise of spans only where it is wanted, then one number a
 * layer.
 */
export function drawsOf(reference: ReferenceCase, layers: number): (block: number) => NDArray | undefined {
  const given = reference.tensors.get('input/random_draws')
  const isNoisy = booleanSetting(reference.config, 'expire_span_noisy', false)
  if (!given) {
    const dropsLayers = Number(reference.config.expire_span_layerdrop ?? 0) > 0
    if (reference.mode === 'train' && (isNoisy || dropsLayers))
      throw new FormatError('noisy spans and layer drop in training need the input "random_draws"')
    return () => undefined
  }
  const [, width = 0] = given.shape
  if (width !== layers && width !== layers + 1)
    throw new FormatError(`input "random_draws" must have ${layers} or ${layers + 1} numbers a block, found ${width}`)
  return (block) => {
    const row = (given.data as Float32Array).slice(block * width, (block + 1) * width)
    return { dtype: 'float32', shape: [layers + 1], data: width === layers ? Float32Array.of(1, ...row) : row }
  }
}
