/** Training and evaluation of a model with memory on a stream of text. */
import type { Compiled } from '../../compile/compile.ts'
import type { Batch, BatchTensors, Dataset } from '../../data/dataset.ts'
import { DataLoader } from '../../data/loader.ts'
import * as ops from '../../ops/index.ts'
import type { MetricDescriptions, OpenedData } from '../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../tasks/experiment.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from '../../tasks/settings.ts'
import { updatesOf } from '../../tasks/training.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import { type Tensor, tensor } from '../../tensor/tensor.ts'
import { defineTask, type Metrics, type StepResult } from '../../train/loop.ts'
import { UsageError } from '../../util/errors.ts'
import { meanOrZero } from '../../util/vectors.ts'
import { type BlockReader, blockReader, CarriedMemory, reachableOf } from './carried.ts'
import { type AnyModel, ExpireSpan, TransformerSeq } from './model.ts'
import { counted, meanLoss, type StreamAnswers, streamScorer } from './scoring.ts'
import type { StreamFields } from './stream.ts'

type StreamBatch = BatchTensors<StreamFields>

/** What a training is made of. */
export interface MemoryPlan {
  readonly make: () => AnyModel
  readonly config: { readonly optimizer: OptimizerSettings; readonly train: TrainSettings }
  readonly metrics: MetricDescriptions
  readonly options: BuildOptions
  /** Whether the memory is empty where an episode begins. Default: no, whatever was read may be remembered. */
  readonly clears?: boolean
  /** Targets of this class do not count. */
  readonly omitted?: number
  /** Metrics of an evaluation from the mean loss in nats and the share of wrong answers. */
  readonly describe: (loss: number, error: number) => Metrics
}

/** What an evaluation found. */
export interface StreamScore extends Pick<StreamAnswers, 'lengths' | 'alive' | 'wrong'> {
  readonly metrics: Metrics
}

/** A model with memory and its training. */
export interface TrainedMemory
  extends Pick<Experiment<OpenedData<unknown, StreamFields>>, 'weights' | 'prepare' | 'evaluate' | 'initialize'>,
    ThreadOptions {
  readonly model: AnyModel
  readonly score: (data: Dataset<StreamFields>) => Promise<StreamScore>
}

/** What a recipe builds of it. */
export type MemoryExperiment<Data extends OpenedData> = Experiment<Data> & Pick<TrainedMemory, 'model' | 'score'>

/**
 * A model trained on a stream: the memory after a block is there for the next one, and is part of every checkpoint. Evaluation reads the
 * test text with a memory of its own.
 */
export function trainedMemory(plan: MemoryPlan): TrainedMemory {
  const { make, config, metrics, options, omitted } = plan
  if (config.optimizer.ema_decay > 0)
    throw new UsageError('optimizer.ema_decay must be 0: memories are of the weights that are trained')
  manualSeed(options.seed)
  const model = make()
  const threads = threadOptions(options)
  const rows = config.train.batch_size
  const score = (data: Dataset<StreamFields>) => readStream(model, data, rows, plan)
  return {
    model,
    ...threads,
    score,
    weights: model.variables(),
    initialize: (weights) => {
      model.loadStateDict(weights, { strict: false })
    },
    evaluate: async ({ test }) => (await score(test)).metrics,
    prepare: ({ train, test }) => {
      const loader = new DataLoader(train, { batchSize: rows, dropLast: true })
      const updates = updatesOf({ model, loader, optimizer: config.optimizer, epochs: config.train.epochs })
      const memory = new CarriedMemory(model, rows)
      const read = blockReader(
        model,
        ({ input, target, elapsed }: StreamBatch, readBlock) => {
          const { logProbs, auxLoss } = readBlock(input, drawsFor(model), plan.clears ? elapsed : undefined)
          const loss = meanLoss(counted(logProbs, target, omitted), omitted)
          const spanLoss = ops.mean(auxLoss)
          updates.minimize(ops.add(loss, spanLoss))
          if (model instanceof TransformerSeq) model.clampSpans()
          return { loss, span_loss: spanLoss }
        },
        threads,
      )
      return {
        task: defineTask({
          variables: updates.variables,
          state: memory,
          loader,
          step: memoryStep(model, read, memory),
          evaluate: async () => (await score(test)).metrics,
          learningRate: updates.learningRate,
        }),
        loop: loopOptions(config.train, metrics),
      }
    },
  }
}

/** Random numbers of a training block, where the model wants some. */
function drawsFor(model: AnyModel): Tensor | undefined {
  if (!(model instanceof ExpireSpan)) return undefined
  const { expire_span_noisy, expire_span_layerdrop } = model.config
  return expire_span_noisy || expire_span_layerdrop > 0 ? ops.randomUniform([1 + model.layers.length]) : undefined
}

const beginsIn = (batch: Batch<StreamFields>): boolean => batch.begins.data[0] === 1

/** One training step: the compiled function with the memory that it takes and leaves. */
function memoryStep(
  model: AnyModel,
  read: BlockReader<StreamBatch, { readonly loss: Tensor; readonly span_loss: Tensor }>,
  memory: CarriedMemory,
): Compiled<[StreamBatch], StepResult> {
  const { compiled } = read
  const start = (batch: Batch<StreamFields>): void => {
    model.train()
    if (beginsIn(batch)) memory.reset()
  }
  const step = async (batch: Batch<StreamFields>): Promise<StepResult> => {
    start(batch)
    const { result, next } = await read(batch as never, memory.memories)
    memory.advance(next)
    return { ...result, memories: tensor(meanOrZero(memory.lengths)) }
  }
  const given = (batch: Batch<StreamFields>) => {
    start(batch)
    return [batch, reachableOf(model, memory.memories)] as never as Parameters<typeof compiled>
  }
  const others = {
    undo: () => {
      compiled.undo()
      memory.undo()
    },
    findNotFinite: (batch: Batch<StreamFields>) => compiled.findNotFinite(...given(batch)),
    profile: (calls: number, batch: Batch<StreamFields>) => compiled.profile(calls, ...given(batch)),
    release: () => compiled.release(),
    traces: compiled.traces,
  }
  const whole = Object.assign(step, others)
  Object.defineProperty(whole, 'program', { get: () => compiled.program })
  // A batch is of arrays here, which is what the loader gives.
  return whole as unknown as Compiled<[StreamBatch], StepResult>
}

/** Reads a whole stream from its beginning, with a memory of its own. */
async function readStream(
  model: AnyModel,
  data: Dataset<StreamFields>,
  rows: number,
  { options, omitted, describe, clears }: MemoryPlan,
): Promise<StreamScore> {
  const score = streamScorer(model, { rows, clears, omitted, ...threadOptions(options) })
  try {
    const { loss, error, ...found } = await score(data)
    const { lengths, alive } = found
    const kept = {
      memories: meanOrZero(lengths.map(meanOrZero)),
      ...(alive.length > 0 && { alive: meanOrZero(alive.map(meanOrZero)) }),
    }
    return { metrics: { ...describe(loss, error), ...kept }, ...found }
  } finally {
    await score.release()
  }
}
