/** CLIP in training on drawings with their names (section 2 of the paper), and what is done with it. */
import type { Dataset } from '../../../data/dataset.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import type { MetricDescriptions, TrainingSets } from '../../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from '../../../tasks/settings.ts'
import { trainingTask } from '../../../tasks/training.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Metrics } from '../../../train/loop.ts'
import { explainPairs } from '../explain.ts'
import { CLIP, contrastiveLoss } from '../model.ts'
import type { OpenedPairs, PairFacts, PairFields } from '../pairs/open.ts'
import { meanDirection, ranksOf, within } from '../pairs/retrieval.ts'
import { inRounds } from '../pairs/rounds.ts'
import { inPrompt, promptTemplates } from '../pairs/texts.ts'
import { type ClipSettings, clipConfig } from '../settings.ts'
import { ofBytes, type PairEncoders, pairEncoders } from './encoders.ts'
import { clipExports } from './exports.ts'

export const pairMetrics = {
  loss: { goal: 'min' },
  accuracy: { goal: 'max', unit: 'percent' },
  top1: { goal: 'max', unit: 'percent' },
  top5: { goal: 'max', unit: 'percent' },
  ensemble_top1: { goal: 'max', unit: 'percent' },
  ensemble_top5: { goal: 'max', unit: 'percent' },
  scale: { goal: 'max' },
} as const satisfies MetricDescriptions

/** What training uses of the settings. */
export interface PairConfig {
  readonly model: ClipSettings
  readonly optimizer: OptimizerSettings
  readonly train: TrainSettings & { readonly passes: number }
}

/** exp(logit_scale) stays at 100 at most (section 2.5). */
const largestScale = Math.log(100)

/** A mini CLIP with its words. */
export interface ClipExperiment extends Experiment<OpenedPairs>, PairEncoders, ThreadOptions {
  readonly model: CLIP
  readonly facts: PairFacts
  readonly settings: ClipSettings
}

/** Trains and uses a small CLIP. All random numbers follow from the seed. */
export function pairExperiment(config: PairConfig, facts: PairFacts, options: BuildOptions): ClipExperiment {
  const { model: settings } = config
  manualSeed(options.seed)
  const model = new CLIP(clipConfig(settings, facts.size, facts.tokens.length))
  const threads = threadOptions(options)
  const encoders = pairEncoders(model, facts, settings, threads)
  const parts: PairParts = { model, facts, encoders }
  const experiment: ClipExperiment = {
    model,
    facts,
    settings,
    ...threads,
    ...encoders,
    weights: model.variables(),
    initialize: (weights) => void model.loadStateDict(weights, { strict: false }),
    evaluate: ({ test }) => evaluatePairs(parts, test),
    prepare: (data) => prepareTraining(parts, config, data, options),
    exports: clipExports({ model, facts, settings, see: encoders.see }),
    explain: async (data) => explainPairs(experiment, data),
  }
  return experiment
}

interface PairParts {
  readonly model: CLIP
  readonly facts: PairFacts
  readonly encoders: PairEncoders
}

/** How often the right name is the nearest to a drawing or among the five nearest: of bare names, and of the mean of each name in all prompts. */
async function evaluatePairs({ model, facts, encoders }: PairParts, test: Dataset<PairFields>): Promise<Metrics> {
  const { names } = facts
  const { image, label } = await test.batch([...Array(test.length).keys()], { epoch: 0, seed: 0 })
  const pictures = await encoders.seePictures(image)
  const labels = label.data as Int32Array
  const bare = ranksOf(pictures, await encoders.readTexts(names), labels)
  const prompts = await encoders.readTexts(promptTemplates.flatMap((t) => names.map((name) => inPrompt(t, name))))
  const ensembles = names.map((_, i) =>
    meanDirection(promptTemplates.flatMap((_t, t) => prompts[t * names.length + i] ?? [])),
  )
  const ensemble = ranksOf(pictures, ensembles, labels)
  return {
    top1: within(bare, 1),
    top5: within(bare, 5),
    ensemble_top1: within(ensemble, 1),
    ensemble_top5: within(ensemble, 5),
    scale: Math.exp(Number(model.logit_scale.data[0])),
  }
}

function prepareTraining(
  parts: PairParts,
  { optimizer, train }: PairConfig,
  data: Pick<OpenedPairs, keyof TrainingSets>,
  options: BuildOptions,
): ReturnType<ClipExperiment['prepare']> {
  const { model, encoders } = parts
  const loader = new DataLoader(data.train, {
    batchSize: train.batch_size,
    shuffle: true,
    seed: options.seed,
    dropLast: true,
  })
  const task = trainingTask({
    model,
    loader: inRounds(loader, train.passes),
    optimizer,
    epochs: train.epochs,
    scalars: ({ image, tokens }) => {
      const logits = model.logits(encoders.see(ofBytes(image)), model.encodeText(tokens))
      const [batch] = logits.logits_per_image.sizes(2)
      const found = ops.equal(ops.argmax(logits.logits_per_image, 1), ops.arange(batch))
      return { loss: contrastiveLoss(logits), accuracy: ops.mean(ops.cast(found, 'float32')) }
    },
    updated: () => model.logit_scale.assign(ops.minimum(model.logit_scale.value, largestScale)),
    evaluate: () => evaluatePairs(parts, data.test),
    ...threadOptions(options),
  })
  return { task, loop: loopOptions(train, pairMetrics) }
}
