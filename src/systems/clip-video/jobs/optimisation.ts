/** What guidance by CLIP reaches: cutouts, and the losses that keep latents likely, judged by a second CLIP that did not guide. */
import { z } from 'zod'
import type { Report } from '../../../report/figures.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import { deriveSeed } from '../../../util/random.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { spreadOf } from '../../study.ts'
import { eigenName } from '../video/eigen-generator.ts'
import { type LineOptions, lineOptimiser } from '../video/line.ts'
import { readLyrics } from '../video/lyrics.ts'
import { openGenerator, openJudge, openSeer } from '../video/models.ts'
import { songLyrics } from '../video/song.ts'

const config = z.strictObject({
  clip: pathSetting('a run of clip-video/clip, which guides; empty: the newest run in the folder runs'),
  judge: pathSetting('a run with another tower and seed, which only judges; empty: the newest such run'),
  generator: pathSetting('a run of clip-video/biggan, or eigendrawings; empty: the newest run', [eigenName]),
  lines: z
    .array(z.string())
    .min(2)
    .default(readLyrics(songLyrics()).map(({ text }) => text))
    .describe('the texts'),
  cutouts: z.array(whole).min(1).default([1, 4, 16, 64]).describe('numbers of cutouts that are compared'),
  losses_at: whole.default(16).describe('cutouts of the comparison with and without the latent and class losses'),
  seeds: whole.default(3).describe('pictures for each line and arm'),
  steps: whole.default(60).describe('steps of Adam for each picture'),
  lr: z.number().positive().default(0.1).describe('learning rate of Adam'),
})
type OptimisationSettings = z.infer<typeof config>

/** One picture. */
const judged = z.object({
  before: z.number(),
  after: z.number(),
  /** Of the judge, before and after: place of the right line among all, from 1. */
  rankBefore: z.number(),
  rankAfter: z.number(),
})
type Judged = z.infer<typeof judged>

/** What is compared. */
interface Arm {
  readonly title: string
  readonly options: LineOptions
}

function armsOf({ cutouts, losses_at, steps, lr }: OptimisationSettings, threads: number | undefined): Arm[] {
  const common = { steps, lr, ...(threads !== undefined && { threads }) }
  const arm = (count: number, latentLoss: boolean, classLoss: boolean): Arm => {
    const left = [...(latentLoss ? [] : ['latent']), ...(classLoss ? [] : ['class'])].join(' and ')
    const title = `${count} cutout${count === 1 ? '' : 's'}${left === '' ? '' : `, without the ${left} loss`}`
    return { title, options: { ...common, cutouts: count, latentLoss, classLoss } }
  }
  const begun: Arm = {
    title: `${losses_at} cutouts, begun with the best class`,
    options: { ...arm(losses_at, true, true).options, begin: 'class' },
  }
  return [
    ...cutouts.map((count) => arm(count, true, true)),
    arm(losses_at, false, true),
    arm(losses_at, true, false),
    arm(losses_at, false, false),
    begun,
  ]
}

async function run(settings: OptimisationSettings, context: JobContext): Promise<Report> {
  const { seed, threads } = context
  const guide = await openSeer(settings.clip, context)
  const judge = await openJudge(settings.judge, guide, context)
  const generator = await openGenerator(settings.generator, 1, context)
  const texts = await guide.readTexts(settings.lines)
  const judgeTexts = await judge.readTexts(settings.lines)
  const results = new Map<string, Judged[]>()
  const arms = armsOf(settings, threads)
  const judging = lineOptimiser(
    generator,
    judge,
    arms[0]?.options ?? { steps: 1, cutouts: 1, lr: 1, latentLoss: true, classLoss: true },
  )
  /** The place of line `i` among all lines by the judge's mean cosine over 64 cutouts. */
  const rankOf = async (latents: Float32Array, classes: Float32Array, i: number): Promise<number> => {
    const picture = await generator.draw(latents, classes)
    const means = (await judging.scores(picture, judgeTexts)).map(({ mean }) => mean)
    return 1 + means.filter((mean, other) => other !== i && mean >= (means[i] ?? 0)).length
  }
  for (const { title, options } of arms) {
    const optimiser = lineOptimiser(generator, guide, options)
    const found: Judged[] = []
    for (const [i, words] of settings.lines.entries()) {
      for (let s = 0; s < settings.seeds; s++) {
        context.signal?.throwIfAborted()
        const models = [guide.identity, judge.identity, generator.identity]
        const identity = {
          words,
          lines: settings.lines,
          options: { ...options, threads: undefined },
          models,
          seed: seed + s,
        }
        const name = `pictures/${title.replaceAll(/[ ,]+/g, '-')}-${i}-seed${seed + s}`
        const { part } = await context.keep(name, identity, judged, async () => {
          const text = texts[i] ?? new Float64Array()
          const lineSeed = deriveSeed(seed + s, 'line', i)
          const made = await optimiser.optimise(text, lineSeed)
          const rank = (latents: readonly number[], classes: readonly number[]): Promise<number> =>
            rankOf(Float32Array.from(latents), Float32Array.from(classes), i)
          return {
            before: made.before,
            after: made.after,
            rankBefore: await rank(made.first.latents, made.first.classes),
            rankAfter: await rank(made.latents, made.classes),
          }
        })
        found.push(part)
      }
    }
    await optimiser.release()
    results.set(title, found)
    const mean = spreadOf(found.map(({ rankAfter }) => rankAfter)).mean
    context.progress(`${title}: mean rank of the right line ${mean.toFixed(2)} of ${settings.lines.length}`, {
      arm: title,
      rank: mean,
    })
  }
  return optimisationReport(results, settings, [guide.name, judge.name, generator.name])
}

/** `0.231 ± 0.012`, over pictures. */
function told(values: readonly number[], digits: number): string {
  const { mean, deviation } = spreadOf(values)
  return `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`
}

/** The page. */
function optimisationReport(
  results: ReadonlyMap<string, readonly Judged[]>,
  { lines, seeds, steps, lr }: OptimisationSettings,
  models: readonly string[],
): Report {
  const chance = (lines.length + 1) / 2
  const first = (found: readonly Judged[]): number =>
    found.filter(({ rankAfter }) => rankAfter === 1).length / found.length
  const rows = [...results].map(([title, found]) => [
    title,
    told(
      found.map(({ before }) => before),
      3,
    ),
    told(
      found.map(({ after }) => after),
      3,
    ),
    told(
      found.map(({ rankBefore }) => rankBefore),
      2,
    ),
    told(
      found.map(({ rankAfter }) => rankAfter),
      2,
    ),
    percent(first(found), 0),
  ])
  return {
    title: 'clip-video / optimisation',
    subtitle: `${lines.length} lines, ${seeds} pictures each; guided by ${models[0]}, judged by ${models[1]}`,
    summary: [...results].slice(0, 4).map(([title, found]) => ({
      label: title,
      value: spreadOf(found.map(({ rankAfter }) => rankAfter)).mean.toFixed(2),
      note: `mean rank of the right line of ${lines.length}; by chance ${chance}`,
    })),
    sections: [
      {
        title: 'What was found',
        intro: `The guide's cosine says how well latents were fitted to it; a picture may fool it. The judge has another tower and seed and did not guide: by chance the right line has rank ${chance} and is first in ${(100 / lines.length).toFixed(0)} %.`,
        figures: [
          {
            kind: 'table',
            title: 'Each arm',
            caption: 'Means ± standard deviation between pictures.',
            columns: [
              'arm',
              'cosine before',
              'cosine after',
              'judged rank before',
              'judged rank after',
              'judged first',
            ],
            rows,
          },
          {
            kind: 'bars',
            title: 'Share of pictures whose line the judge puts first',
            value: { label: 'share', percent: true },
            bars: [...results].map(([label, found]) => ({ label, value: first(found) })),
          },
        ],
      },
    ],
    footer: `${steps} steps, learning rate ${lr}; the same beginnings for all arms; nothing was tuned. ${models[2]}. Written by tenfold.`,
  }
}

export const optimisation = defineJob({
  name: 'optimisation',
  summary:
    'key pictures with 1, 4, 16, 64 cutouts, with and without the latent and class losses, judged by a second CLIP',
  config,
  run,
})
