/** A frozen transformer on rows of numbered tokens: the class is read from the last one (paper, Section 2.1). */
import { compile } from '../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../data/dataset.ts'
import * as ops from '../../ops/index.ts'
import type { Exportable, MetricDescriptions } from '../../tasks/define.ts'
import { classScores, evaluateClasses } from '../../tasks/evaluate-classes.ts'
import type { BuildOptions, ThreadOptions } from '../../tasks/experiment.ts'
import type { SequenceFields } from '../../tasks/sequences/dataset.ts'
import type { TrainSettings } from '../../tasks/settings.ts'
import { trainable } from '../../tasks/training.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { firstExamples, learningSection } from './explain.ts'
import { bodyRate } from './freezing.ts'
import { FrozenTransformer } from './model.ts'
import { type FrozenOptimizerSettings, type ModelSettings, modelConfig } from './settings.ts'
import { scoreOf, type TaskName } from './tasks.ts'

/** How such a task is judged; `majority_accuracy`: always saying the most frequent class. */
export const sequenceMetrics = {
  accuracy: { goal: 'max', unit: 'percent' },
  loss: { goal: 'min' },
  majority_accuracy: { goal: 'max', unit: 'percent', constant: true },
} as const satisfies MetricDescriptions

/** The settings that building and training use. */
export interface SequenceConfig {
  readonly model: ModelSettings
  readonly optimizer: FrozenOptimizerSettings
  readonly train: TrainSettings
}

/** What is known of the data. */
export interface SequenceSizes {
  readonly vocab_size: number
  readonly max_seq_length: number
  readonly labels: readonly string[]
  /** Accuracy of always saying the most frequent class. */
  readonly majority: number
}

/** Ids int32 [B, L] -> logits [B, classes]. */
export const logitsOf = (model: FrozenTransformer, ids: Tensor): Tensor => ops.select(model.forward(ids), 0, 1)

/** Runs a model over sequences. `majority`: the accuracy of always saying the most frequent class. */
export function sequenceEvaluator(majority: number) {
  return (model: FrozenTransformer, threads: ThreadOptions) => {
    const run = compile(
      ({ input_ids, label }: BatchTensors<SequenceFields>) => classScores(logitsOf(model, input_ids), label),
      threads,
    )
    return async (data: Dataset<SequenceFields>) => {
      const { metrics } = await evaluateClasses(model, run, data, Math.min(100, data.length))
      return { metrics: { ...metrics, majority_accuracy: majority } }
    }
  }
}

/** Model and training of a task; `metadata`: what a user of the exported model must know besides labels and length. */
export function buildSequences(
  task: TaskName,
  config: SequenceConfig,
  facts: SequenceSizes,
  options: BuildOptions,
  metadata: Readonly<Record<string, unknown>>,
) {
  const sizes = {
    input_dim: facts.vocab_size,
    output_dim: facts.labels.length,
    tokens: facts.max_seq_length,
    embeds: true,
  }
  const { score, ...trained } = trainable({
    make: () => new FrozenTransformer(modelConfig(config.model, sizes)),
    config,
    metrics: sequenceMetrics,
    options,
    lrScale: bodyRate(config.optimizer),
    scalars: (model, { input_ids, label }: BatchTensors<SequenceFields>) => ({
      ...scoreOf(task, model.forward(input_ids), label),
    }),
    meansOfExamples: true,
    evaluator: sequenceEvaluator(facts.majority),
  })
  const { model } = trained
  return {
    ...trained,
    exports: { classifier: () => exportSequences(model, facts, metadata) },
    explain: async ({ test }: { readonly test: Dataset<SequenceFields> }) => {
      const { input_ids } = await firstExamples(test)
      return [await learningSection(model, (x) => model.outputs(x), input_ids)]
    },
  }
}

/** `input_ids` int32 [batch, length] -> `logits` and `probabilities` [batch, classes]. */
function exportSequences(
  model: FrozenTransformer,
  { labels, max_seq_length: length }: SequenceSizes,
  metadata: Readonly<Record<string, unknown>>,
): Exportable<'input_ids'> {
  model.eval()
  return {
    inputs: { input_ids: { dtype: 'int32', shape: [1, length] } },
    forward: ({ input_ids }) => {
      const logits = logitsOf(model, input_ids)
      return { logits, probabilities: ops.softmax(logits, -1) }
    },
    metadata: { labels: JSON.stringify(labels), preprocessing: JSON.stringify({ length, ...metadata }) },
  }
}
