/** The linear few-shot evaluation of frozen features (MLP-Mixer, section 3; big_vision's fewshot_lsr). */

import { z } from 'zod'
import { listSome } from '../../data/counting.ts'
import { type Dataset, labelsOf, type PictureFields, subset } from '../../data/index.ts'
import type { OnError } from '../../data/opening.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { largest, smallest } from '../../util/lists.ts'
import { meanOf } from '../../util/vectors.ts'
import { counted, percent } from '../../util/words.ts'
import { defineUse, type TrainingSets, type UseContext } from '../define.ts'
import { threadOptions } from '../experiment.ts'
import { type PictureFacts, requireClasses } from './facts.ts'
import { type FeatureClassifier, featureExtractor, type LabelledFeatures } from './features.ts'
import { fewShot, selectShots } from './few-shot.ts'
import { type OpenedPictures, openFolder } from './open.ts'

/** What is evaluated. */
export interface FewShotOptions {
  /** Examples of each class to learn from. */
  readonly shots: readonly number[]
  /** How many draws of these examples. */
  readonly seeds: number
  readonly l2: number
}

/** Accuracies of one number of shots, one for each seed. */
export interface FewShotRow {
  readonly shots: number
  readonly accuracies: readonly number[]
  readonly mean: number
}

export interface FewShotOutcome {
  readonly classes: number
  readonly testExamples: number
  /** Examples of the smallest class to learn from: with more shots, it gives all it has. */
  readonly smallestClass: number
  readonly rows: readonly FewShotRow[]
}

// The official evaluation takes the examples from the first 65,000 of ImageNet.
const greatestPool = 65_000

function smallestCount(labels: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return smallest(counts.values())
}

/** Evaluates for every number of shots and seed. Features of examples are computed once. */
async function evaluateFewShot(
  features: (data: Dataset<PictureFields>) => Promise<LabelledFeatures>,
  { test, train, plain = train }: TrainingSets<PictureFields>,
  options: FewShotOptions,
): Promise<FewShotOutcome> {
  const pool = Math.min(plain.length, greatestPool)
  const labels = await labelsOf(
    pool < plain.length
      ? subset(
          plain,
          Array.from({ length: pool }, (_, i) => i),
        )
      : plain,
  )
  const draws = options.shots.map((shots) =>
    Array.from({ length: options.seeds }, (_, seed) => selectShots(labels, shots, seed)),
  )
  const used = [...new Set(draws.flat(2))].sort((a, b) => a - b)
  const places = new Map(used.map((row, place) => [row, place]))
  const trainSide = await features(subset(plain, used))
  const testSide = await features(test)
  const classes = 1 + [...labels, ...testSide.labels].reduce((most, label) => Math.max(most, label), 0)
  const rows = options.shots.map((shots, i): FewShotRow => {
    const accuracies = (draws[i] ?? []).map(
      (rows) =>
        fewShot({
          trainFeatures: trainSide.features,
          trainLabels: trainSide.labels,
          testFeatures: testSide.features,
          testLabels: testSide.labels,
          selected: rows.map((row) => places.get(row) ?? 0),
          classes,
          l2: options.l2,
          biasConstant: 100,
          stdEpsilon: 1e-5,
        }).accuracy,
    )
    return { shots, accuracies, mean: meanOf(accuracies) }
  })
  return { classes, testExamples: test.length, smallestClass: smallestCount(labels), rows }
}

/** Other pictures, half of them for testing. Warns if the run was trained on some of them: it would do better on these. */
async function openOthers(
  folder: string,
  onError: OnError,
  { image_size, in_channels }: PictureFacts,
  { say, readRecord }: UseContext,
): Promise<TrainingSets<PictureFields>> {
  const hint = '--on-error skip leaves them out'
  const options = { size: image_size, channels: in_channels, testShare: 0.5, seed: 0, onError, hint }
  const data = await openFolder(folder, { ...options, more: 'give more pictures' })
  const { summary, warnings, record } = data.opening
  say(`data       ${summary}`)
  const known = await readRecord().catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error
    say(`warning: ${error.message}`) // these pictures can be evaluated without it
  })
  const trained = new Set(Object.values(known?.train ?? {}))
  const all = [...Object.entries(record.train), ...Object.entries(record.test)]
  const seen = all.filter(([, digest]) => trained.has(digest)).map(([name]) => name)
  const told = `the run was trained on ${seen.length} of the ${counted(all.length, 'picture')} (${listSome(seen, 3)})`
  for (const warning of seen.length > 0 ? [...warnings, told] : warnings) say(`warning: ${warning}`)
  return data
}

/** The use `fewshot`: how well frozen features tell classes apart after a few examples of each. */
export const evaluateShots = defineUse({
  summary: 'how well frozen features tell classes apart after a few examples of each (linear regression)',
  inputs: '',
  options: z.strictObject({
    shots: z
      .array(whole)
      .min(1)
      .default([1, 5, 10])
      .describe('examples of each class to learn from, with commas between'),
    seeds: whole.default(3).describe('draws of these examples'),
    l2: z.number().positive().default(1024).describe('weight of the regulariser'),
    data: pathSetting("other pictures, one sub-folder per class, half for testing; empty: the run's own data"),
    on_error: onErrorSetting,
  }),
  run: async function* (
    { model, facts, threads }: FeatureClassifier,
    _inputs,
    { data: folder, on_error: onError, ...options },
    context: UseContext<OpenedPictures>,
  ) {
    if (!folder) requireClasses(facts, 'fewshot')
    const data = folder ? await openOthers(folder, onError, facts, context) : await context.openData()
    const features = featureExtractor(model, threadOptions({ threads }))
    const { classes, testExamples, smallestClass, rows } = await evaluateFewShot(features, data, options)
    const cells = (values: readonly string[]): string => values.map((text) => text.padStart(10)).join('')
    const chance = percent(1 / classes, 2)
    context.say(`${classes} classes, ${testExamples} test examples, chance ${chance}`)
    context.say(`shots${cells([...Array.from({ length: options.seeds }, (_, seed) => `seed ${seed}`), 'mean'])}`)
    for (const { shots, accuracies, mean } of rows) {
      const values = Object.fromEntries(accuracies.map((accuracy, seed) => [`seed_${seed}`, accuracy]))
      const line = `${String(shots).padStart(5)}${cells([...accuracies, mean].map((each) => percent(each, 2)))}`
      yield { values: { shots, ...values, mean }, line }
    }
    if (smallestClass < largest(options.shots)) {
      context.say(`the smallest class has ${smallestClass} examples to learn from: with more shots, it gives all`)
    }
    const means = rows.map(({ shots, mean }) => [`accuracy_${shots}_shot`, mean] as const)
    yield { metrics: { ...Object.fromEntries(means), classes, test_examples: testExamples } }
  },
})
