/** The use `finetune`: the whole network goes on learning from few labels, beside the same network that begins at random. */
import { z } from 'zod'
import type { Dataset } from '../../../data/dataset.ts'
import { subset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { Linear, Module } from '../../../nn/index.ts'
import { trainBriefly } from '../../../tasks/brief-training.ts'
import { defineUse, type UseContext } from '../../../tasks/define.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { classifierEvaluator, classifierScalars } from '../../../tasks/pictures/classifier.ts'
import { haveClasses, requireClasses } from '../../../tasks/pictures/facts.ts'
import { type FeatureModel, featureExtractor } from '../../../tasks/pictures/features.ts'
import type { OpenedPictures } from '../../../tasks/pictures/open.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { type RepresentationExperiment, sample } from './vote.ts'

/** How the network goes on learning. */
export interface FineTuning extends ThreadOptions {
  readonly steps: number
  readonly batch_size: number
  readonly lr: number
  readonly seed: number
  readonly classes: number
}

/** A representation with a linear layer for classes. */
class WithHead extends Module {
  readonly body: FeatureModel
  readonly head: Linear

  constructor(body: FeatureModel, width: number, classes: number) {
    super()
    this.body = body
    this.head = new Linear(width, classes)
  }

  forward(images: Tensor): Tensor {
    return this.head.forward(this.body.features(images))
  }
}

/** Trains model and head from the given weights on; test accuracy. The model has its own weights again afterwards. */
export async function fineTune(
  model: FeatureModel,
  weights: ReadonlyMap<string, NDArray>,
  train: Dataset<PictureFields>,
  test: Dataset<PictureFields>,
  { classes, seed, threads, steps, batch_size, lr }: FineTuning,
): Promise<number> {
  const options = threadOptions({ threads })
  const own = model.stateDict()
  try {
    model.loadStateDict(weights)
    manualSeed(seed)
    const { features } = await featureExtractor(model, options)(subset(train, [0]))
    const whole = new WithHead(model, features.shape[1] ?? 1, classes)
    whole.train()
    const { accuracy } = await trainBriefly({
      name: 'finetune',
      model: whole,
      train,
      test,
      training: { steps, batch_size, lr, weight_decay: 0.05 },
      seed,
      scalars: (each, batch) => classifierScalars(each, batch, { label_smoothing: 0, mixup: 0 }),
      evaluator: classifierEvaluator,
      ...options,
    })
    return accuracy
  } finally {
    model.loadStateDict(own)
    model.eval()
  }
}

/** The use `finetune`. */
export const fineTuneWithLabels = defineUse({
  summary: 'how well the whole network tells classes apart after it has learned from few labels, and from them alone',
  inputs: '',
  options: z.strictObject({
    labels: z
      .array(z.number().gt(0).max(1))
      .min(1)
      .default([0.01, 0.1])
      .describe('shares of the labels to learn from, with commas between'),
    examples: whole.default(10_000).describe('training pictures, at most, of which these are shares'),
    steps: whole.default(200).describe('steps of each training'),
    batch_size: whole.default(64).describe('pictures in a step'),
    lr: z.number().positive().default(1e-3).describe('learning rate of AdamW after the warm-up'),
  }),
  fits: ({ facts }: RepresentationExperiment) => haveClasses(facts),
  run: async function* (
    { model, facts, threads, untrained }: RepresentationExperiment,
    _inputs,
    { labels, examples, ...training },
    context: UseContext<OpenedPictures>,
  ) {
    requireClasses(facts, 'finetune')
    const { train, plain = train, test } = await context.openData()
    const chosen = sample(plain, examples, context.seed)
    const order = new Generator(context.seed).permutation(chosen.length)
    const options = {
      ...training,
      seed: context.seed,
      classes: facts.labels.length,
      ...(threads !== undefined && { threads }),
    }
    const learned = model.stateDict()
    const metrics: Record<string, number> = {}
    for (const share of labels) {
      context.signal?.throwIfAborted()
      const count = Math.max(facts.labels.length, Math.round(share * chosen.length))
      const labelled = subset(chosen, order.subarray(0, count))
      const accuracy = await fineTune(model, learned, labelled, test, options)
      const from_labels_alone = await fineTune(model, untrained, labelled, test, options)
      metrics[`accuracy_${count}_labels`] = accuracy
      yield {
        values: { labels: count, accuracy, from_labels_alone },
        line: `${String(count).padStart(6)} labels  accuracy ${percent(accuracy, 2)}, from these labels alone ${percent(from_labels_alone, 2)}`,
      }
    }
    yield { metrics: { ...metrics, classes: facts.labels.length, test_examples: test.length } }
  },
})
