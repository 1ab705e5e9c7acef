/** Learners of single pictures in training and in use: the turns of a step, what an evaluation measures, the pictures it keeps. */
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, Dataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import type { Section } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import type { MetricDescriptions, OpenedData, TrainingSets } from '../../../tasks/define.ts'
import { type BuildOptions, type Experiment, type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import { evaluationBatchSize, normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { loopOptions, type OptimizerSettings, type TrainSettings } from '../../../tasks/settings.ts'
import { makeOptimizer, type StepScalars } from '../../../tasks/training.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed, RandomState, randomState } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { defineTask, type Metrics, type TrainingTask } from '../../../train/loop.ts'
import { checkpointVariables } from '../../../train/store.ts'
import {
  neighbourVote,
  type RepresentationExperiment,
  sample,
  trainedWithout,
  voteMetrics,
} from '../evaluation/vote.ts'
import type { ProbeSettings } from '../settings.ts'
import { randomView, type ViewFamily, viewFamilies } from '../views.ts'
import { drawer, reconstructor } from './drawing.ts'
import type { PictureLearner, Turn } from './model.ts'

/** What training uses of the settings. */
export interface LearnerConfig {
  readonly views: { readonly family: ViewFamily }
  readonly probe: ProbeSettings
  readonly optimizer: Omit<OptimizerSettings, 'ema_decay'>
  readonly train: TrainSettings
}

/** A learner, as the uses take it. */
export interface LearnerExperiment extends Experiment<OpenedData<unknown, PictureFields>>, RepresentationExperiment {
  readonly model: PictureLearner
}

/** Pictures of a snapshot: rows and columns of samples, columns of reconstructions. */
const snapshot = { columns: 10, rows: 4, rounds: 10 } as const

/** The picture as it is, or a random view of it, with pixels from -1 to 1. */
function viewed(image: Tensor, family: ViewFamily): Tensor {
  if (family === 'none') return normalizePixels(image)
  const unit = ops.div(ops.cast(image, 'float32'), 255)
  return ops.sub(ops.mul(randomView(unit, viewFamilies[family][0]), 2), 1)
}

/** Scalars under the name of their turn. */
function named({ name }: Turn, scalars: StepScalars): Readonly<Record<string, Tensor>> {
  return Object.fromEntries(Object.entries(scalars).map(([key, value]) => [name ? `${name}_${key}` : key, value]))
}

interface TaskParts extends ThreadOptions {
  readonly learner: PictureLearner
  readonly config: LearnerConfig
  readonly train: Dataset<PictureFields>
  readonly seed: number
  readonly evaluate: () => Promise<Metrics>
}

/** The task whose step lets every turn minimise its loss, one after the other. A network that has several turns has one optimizer. */
function learnerTask({ learner, config, train, seed, evaluate, threads }: TaskParts): TrainingTask {
  const { batch_size: batchSize, epochs } = config.train
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed, dropLast: true })
  const turns = learner.turns()
  const settings = { ...config.optimizer, ema_decay: 0 }
  const kinds = [...new Set(turns.map(({ name = '' }) => name))]
  const optimizers = new Map(
    kinds.map((kind) => {
      const own = turns.filter(({ name = '' }) => name === kind)
      return [kind, makeOptimizer(own[0]?.parameters ?? [], settings, epochs * loader.stepsPerEpoch * own.length)]
    }),
  )
  const clip = settings.clip_norm > 0 ? { clipNorm: settings.clip_norm } : {}
  const step = compile(({ image, label }: BatchTensors<PictureFields>) => {
    const pictures = viewed(image, config.views.family)
    let shown: Readonly<Record<string, Tensor>> = {}
    for (const turn of turns) {
      const scalars = turn.scalars(pictures, label)
      optimizers.get(turn.name ?? '')?.minimize(scalars.loss, clip)
      shown = { ...shown, ...named(turn, scalars) }
    }
    return { ...shown, loss: shown.loss ?? ops.zeros([]) }
  }, threadOptions({ threads }))
  const states = [...optimizers].map(([kind, optimizer]) => [
    kind === '' ? 'optimizer' : `optimizer_${kind}`,
    optimizer.variables(),
  ])
  return defineTask({
    variables: checkpointVariables({
      model: learner.variables(),
      ...Object.fromEntries(states),
      random: randomState().variables,
    }),
    loader,
    step,
    evaluate,
    learningRate: () => optimizers.get('')?.lr ?? 0,
  })
}

/** Makes the function that scores held-out pictures in evaluation mode, with the same chance each time. */
function scorer(learner: PictureLearner, threads: ThreadOptions) {
  const state = new RandomState(0)
  const score = compile(
    ({ image, label }: BatchTensors<PictureFields>) => ({ ...learner.score(normalizePixels(image), label, state) }),
    threads,
  )
  return async (data: Dataset<PictureFields>): Promise<Metrics> => {
    learner.eval()
    state.reseed(0)
    const sums: Record<string, number> = {}
    for await (const batch of new DataLoader(data, { batchSize: evaluationBatchSize(data) }))
      for (const [name, value] of Object.entries(await score(batch)))
        sums[name] = (sums[name] ?? 0) + (await value.item()) * (batch.label.shape[0] ?? 0)
    learner.train()
    return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / data.length]))
  }
}

/** The first so many test pictures. */
async function firstPictures(data: Dataset<PictureFields>, count: number): Promise<NDArray> {
  const rows = Array.from({ length: Math.min(count, data.length) }, (_, i) => i)
  return (await data.batch(rows, { epoch: 0, seed: 0 })).image
}

/** Trains and uses the learner that `make` makes. All random numbers follow from the seed. */
export function learnerExperiment(
  make: () => PictureLearner,
  config: LearnerConfig,
  facts: PictureFacts,
  metrics: MetricDescriptions,
  options: BuildOptions,
): LearnerExperiment {
  const { seed } = options
  const { probe } = config
  const own = Object.keys(metrics).find((name) => !(name in voteMetrics)) ?? 'loss'
  manualSeed(seed)
  const model = make()
  const threads = threadOptions(options)
  const untrained = model.stateDict()
  const [score, vote] = [scorer(model, threads), neighbourVote(model, probe, facts, { seed, ...threads })]
  const [draw, reconstruct] = [drawer(model, threads), reconstructor(model, threads)]

  const evaluate = async (sets: TrainingSets<PictureFields>): Promise<Metrics> => {
    const voted = await vote(sets)
    return { ...voted, ...(await score(sample(sets.test, probe.test_examples, seed))) }
  }
  const samples = async () => {
    const { columns, rows, rounds } = snapshot
    return draw && picturesOf(await draw({ count: columns * rows, rounds, seed: 0 }))
  }
  const rebuilt = async (test: Dataset<PictureFields>) => {
    const image = await firstPictures(test, snapshot.columns)
    const found = await reconstruct?.(image, 0)
    return found && { pictures: picturesOf(image), seen: picturesOf(found.seen), drawn: picturesOf(found.drawn) }
  }
  return {
    model,
    facts,
    untrained,
    ...threads,
    weights: model.variables(),
    initialize: (weights) => void model.loadStateDict(weights, { strict: false }),
    prepare: (data) => ({
      task: learnerTask({
        learner: model,
        config,
        train: data.train,
        seed,
        evaluate: () => evaluate(data),
        ...threads,
      }),
      loop: loopOptions(trainedWithout(config.train, facts, own), metrics),
    }),
    evaluate,
    exports: Object.fromEntries(
      Object.entries(model.exports()).map(([name, exported]) => [
        name,
        () => {
          model.eval()
          return exported()
        },
      ]),
    ),
    snapshot: async ({ test }) => {
      const [drawn, found] = [await samples(), await rebuilt(test)]
      return {
        ...(drawn && { samples: pictureSheet(drawn, snapshot.columns) }),
        ...(found && {
          reconstructions: pictureSheet([...found.pictures, ...found.seen, ...found.drawn], snapshot.columns),
        }),
      }
    },
    explain: async ({ test }) => explainPictures(await samples(), await rebuilt(test)),
  }
}

/** What the report shows of the pictures that a learner makes. */
function explainPictures(
  drawn: ReturnType<typeof picturesOf> | undefined,
  rebuilt: Readonly<Record<'pictures' | 'seen' | 'drawn', ReturnType<typeof picturesOf>>> | undefined,
): Section[] {
  const sections: Section[] = []
  if (rebuilt)
    sections.push({
      title: 'From what is left of a picture',
      figures: [
        { kind: 'pictures', title: 'Test pictures', pictures: rebuilt.pictures },
        { kind: 'pictures', title: 'What the model sees', pictures: rebuilt.seen },
        { kind: 'pictures', title: 'What it makes of it', pictures: rebuilt.drawn },
      ],
    })
  if (drawn) sections.push({ title: 'From chance', figures: [{ kind: 'pictures', title: 'Samples', pictures: drawn }] })
  return sections
}
