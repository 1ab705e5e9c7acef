/** Runs a model block after block, its memory carried as the official code carries it. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FormatError } from '../../../util/errors.ts'
import { booleanSetting, type ReferenceCase } from '../../../verify/target.ts'
import type { LayerMemory } from '../attention.ts'
import type { CompressedMemory } from '../compressive.ts'
import type { ExpireSpanConfig } from '../config.ts'
import { forget, type StoredMemory } from '../memory.ts'
import type { CompressiveTransformer, ExpireSpan, TransformerSeq } from '../model.ts'

/** Any of the models, with its memory as a record of tensors. */
export type AnyModel = ExpireSpan | TransformerSeq | CompressiveTransformer

/** The memory of a layer between blocks, by the names of the model's. */
export type CarriedMemory = Readonly<Record<string, NDArray>>

/** What a block gave, as numbers. */
export interface RunBlock {
  readonly logProbs: NDArray
  readonly auxLoss: NDArray
  readonly loss: number
  readonly memories: readonly CarriedMemory[]
  /** By the names of the parameters. */
  readonly gradients: ReadonlyMap<string, NDArray>
}

/** The loss of log probabilities [B, M, V] at targets [B, M]. */
export type TaskLoss = (logProbs: Tensor, targets: Tensor) => Tensor

/** Mean over batch and time. */
export const meanLoss: TaskLoss = (logProbs, targets) => ops.nllLoss(ops.transpose(logProbs), targets)

/** Makes the function that computes a block with its gradients and carries the memory on. */
export function blockRunner(model: AnyModel, lossOf: TaskLoss = meanLoss) {
  const parameters = model.namedParameters()
  const run = compile(
    (tokens: Tensor, targets: Tensor, memories: LayerMemory[], draws?: Tensor) => {
      // Each model's memories are those that it made itself.
      const { logProbs, auxLoss, layers, ...rest } = (model as TransformerSeq).forward(tokens, memories, draws)
      const taskLoss = lossOf(logProbs, targets)
      const loss = ops.add(taskLoss, ops.mean(auxLoss))
      const gradients = gradient(loss, [...parameters.values()])
      const remaining = layers.flatMap(({ spans }) => spans?.remaining ?? [])
      return { logProbs, auxLoss, taskLoss, loss, gradients, remaining, memories: rest.memories }
    },
    { onTrace: () => undefined }, // every length of memory is another shape
  )
  const step = async (tokens: NDArray, targets: NDArray, memories: readonly CarriedMemory[], draws?: NDArray) => {
    const given = memories as unknown as LayerMemory[] & CarriedMemory[]
    const found = await run(tokens, targets, given, ...(draws ? [draws] : []))
    const arrays = [...found.gradients].map(({ array }) => array)
    const gradients = new Map(
      [...parameters.keys()].flatMap((name, i) => (arrays[i] ? [[name, arrays[i]] as const] : [])),
    )
    const next = found.memories.map((memory, i) =>
      carried(memory, found.remaining[i]?.array, model.config as ExpireSpanConfig),
    )
    return {
      logProbs: found.logProbs.array,
      auxLoss: found.auxLoss.array,
      loss: found.loss.item(),
      taskLoss: found.taskLoss.item(),
      memories: next,
      gradients,
    }
  }
  return { step, release: () => run.release() }
}

/** The first memories, as numbers. */
export async function firstMemories(model: AnyModel, batch: number): Promise<CarriedMemory[]> {
  const first = arraysOf(await compile(() => ({ ...model.initialMemory(batch) }))())
  return model.layers.map(() => first)
}

function arraysOf(memory: LayerMemory | CompressedMemory): CarriedMemory {
  return Object.fromEntries(Object.entries(memory).map(([name, tensor]) => [name, (tensor as Tensor).array]))
}

function carried(memory: LayerMemory, remaining: NDArray | undefined, config: ExpireSpanConfig): CarriedMemory {
  const arrays = arraysOf(memory)
  return 'ages' in memory ? { ...forget(arrays as unknown as StoredMemory, remaining, config) } : arrays
}

/** The official names of what a layer remembers. */
const stateNames: Readonly<Record<string, string>> = { hidden: 'h', ages: 'counter', compressed: 'c' }

/** The memories by their names in a case: PREFIX_h0, PREFIX_counter0, ... */
export function statesOf(prefix: string, memories: readonly CarriedMemory[]): [string, NDArray][] {
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
