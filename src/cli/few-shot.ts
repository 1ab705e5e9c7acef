/** `tenfold fewshot`: the paper's linear few-shot evaluation of a run's frozen features. */
import { DataLoader, type Dataset, subset } from '../data/index.ts'
import type { OpenedData, Representation } from '../systems/define.ts'
import { type NDArray, toNumbers } from '../tensor/dtype.ts'
import { evaluationBatchSize } from '../train/classifier.ts'
import { fewShot, selectShots } from '../train/few-shot.ts'
import { UsageError } from '../util/errors.ts'
import { appendAll, smallest } from '../util/lists.ts'
import { type OpenedRun, openData, tellData } from './session.ts'
import type { Reporter } from './ui.ts'

export interface FewShotOptions {
  /** Examples of each class to learn from. */
  readonly shots: readonly number[]
  /** How many draws of these examples. */
  readonly seeds: number
  readonly l2: number
  /** Pictures of another task, one sub-folder a class, half of each for testing. Default: the run's own data. */
  readonly folder?: string
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

async function labelsOf(data: Dataset): Promise<number[]> {
  if (data.labels) return Array.from(data.labels).slice(0, greatestPool)
  const labels: number[] = []
  for await (const { label } of new DataLoader(data, { batchSize: evaluationBatchSize(data) })) {
    appendAll(labels, toNumbers((label as NDArray).data))
    if (labels.length >= greatestPool) break
  }
  return labels.slice(0, greatestPool)
}

function smallestCount(labels: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return smallest(counts.values())
}

function representationOf({ experiment, run }: OpenedRun): Representation {
  if (experiment.representation) return experiment.representation
  const { system, recipe } = run.description
  throw new UsageError(`${system}/${recipe} has no features to evaluate few-shot`, {
    hint: 'picture classifiers such as mixer/mnist have',
  })
}

async function openShots(
  opened: OpenedRun,
  { openFolder }: Representation,
  { folder }: FewShotOptions,
  reporter: Reporter,
): Promise<OpenedData> {
  if (!folder) return openData(opened, reporter)
  const data = await openFolder(folder)
  tellData(data.opening, reporter)
  return data
}

/** Evaluates for every number of shots and seed. Features of examples are computed once. */
export async function evaluateFewShot(
  opened: OpenedRun,
  options: FewShotOptions,
  reporter: Reporter,
): Promise<FewShotOutcome> {
  const representation = representationOf(opened)
  const { test, train, plain = train } = await openShots(opened, representation, options, reporter)
  const labels = await labelsOf(plain)
  const draws = options.shots.map((shots) =>
    Array.from({ length: options.seeds }, (_, seed) => selectShots(labels, shots, seed)),
  )
  const used = [...new Set(draws.flat(2))].sort((a, b) => a - b)
  const places = new Map(used.map((row, place) => [row, place]))
  const trainSide = await representation.features(subset(plain, used))
  const testSide = await representation.features(test)
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
    return { shots, accuracies, mean: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length }
  })
  return { classes, testExamples: test.length, smallestClass: smallestCount(labels), rows }
}
