/** Settings of a study that pictures are drawn with and measured, for several seeds of the noise; every part is kept. */
import { z } from 'zod'
import type { Picture, Table } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { sizeOf, sizes } from '../../../tensor/shape.ts'
import { whole } from '../../../train/settings.ts'
import { percent } from '../../../util/words.ts'
import type { JobContext } from '../../define.ts'
import { eachOf, seedsFrom } from '../../parts.ts'
import { spreadOf } from '../../study.ts'
import type { Drawn } from './drawing.ts'
import type { FeatureNetwork, Features } from './judge.ts'
import { readPictures, type StudyPictures } from './pictures.ts'
import { type Quality, quality, qualityOf } from './quality.ts'

/** Precision and recall look at three neighbours of each picture. */
export const fewestPictures = 4

/** How much is drawn to measure a setting. */
export function measuringSettings(samples = 500) {
  return z.strictObject({
    samples: whole.min(fewestPictures).default(samples).describe('pictures of each setting, all classes alike'),
    seeds: whole.default(3).describe('how often each setting is drawn, with other noise'),
  })
}
export type MeasuringSettings = z.infer<ReturnType<typeof measuringSettings>>

/** Pictures that a page shows of each setting. */
const shown = 20

const measured = z.strictObject({
  quality,
  seconds: z.number(),
  /** The first pictures, bytes [count, C, H, W] in base 64. */
  shape: z.array(z.number()),
  pixels: z.string(),
})

/** A setting with what was measured of it. */
export interface Measured {
  /** By seed. */
  readonly qualities: readonly Quality[]
  readonly seconds: readonly number[]
  /** Of the first seed. */
  readonly pictures: readonly Picture[]
}

/** A setting that was drawn with several trainings of its network: the measures of all, the pictures of the first. */
export function ofAllTrainings(found: readonly Measured[]): Measured {
  return {
    qualities: found.flatMap(({ qualities }) => qualities),
    seconds: found.flatMap(({ seconds }) => seconds),
    pictures: found[0]?.pictures ?? [],
  }
}

/** What settings are compared with. */
export interface Measure {
  readonly features: FeatureNetwork
  readonly real: Features
  /** Names the judge and the real pictures. */
  readonly identity: unknown
}

/** The features of the real pictures of a study. */
export async function measureOf(
  features: FeatureNetwork,
  pictures: StudyPictures,
  identity: unknown,
): Promise<Measure> {
  const { pictures: real } = await readPictures(pictures.real)
  return { features, real: await features(real), identity: { judge: identity, data: pictures.identity } }
}

/** A way to draw pictures. */
export interface Setting {
  readonly name: string
  /** All that its pictures depend on. */
  readonly identity: unknown
  readonly draw: (seed: number) => Promise<Drawn>
}

/** Draws and measures a setting, once for each seed of the noise. */
export async function measuredSetting(
  { name, identity, draw }: Setting,
  measure: Measure,
  { samples, seeds }: MeasuringSettings,
  context: JobContext,
): Promise<Measured> {
  const parts = await eachOf(context, seedsFrom(0, seeds), async (seed) => {
    context.signal?.throwIfAborted()
    const part = `drawn/${name}-${seed}`
    const kept = await context.keep(
      part,
      { identity, samples, seed, measure: measure.identity },
      measured,
      async () => {
        const start = performance.now()
        const drawn = await draw(context.seed + seed)
        const seconds = (performance.now() - start) / 1000
        const { shape, data } = drawn.pictures
        const count = Math.min(shown, sizeOf(shape, 0))
        const first = Buffer.from((data as Uint8Array).subarray(0, (data.length / sizeOf(shape, 0)) * count))
        return {
          quality: qualityOf(await measure.features(drawn.pictures), measure.real, drawn.labels),
          seconds,
          shape: [count, ...shape.slice(1)],
          pixels: first.toString('base64'),
        }
      },
    )
    context.progress(`${part}: ${describeQuality(kept.part.quality)}${kept.wasThere ? '  kept' : ''}`, {
      part,
      kept: kept.wasThere,
      ...kept.part.quality,
    })
    return kept.part
  })
  const [first] = parts
  const pictures = first
    ? picturesOf({ dtype: 'uint8', shape: sizes(first.shape, 4), data: Buffer.from(first.pixels, 'base64') })
    : []
  return { qualities: parts.map((part) => part.quality), seconds: parts.map((part) => part.seconds), pictures }
}

/** One line. */
export function describeQuality({ frechet, precision, recall, accuracy }: Quality): string {
  const asked = accuracy === undefined ? '' : `, as asked ${percent(accuracy)}`
  return `Frechet distance ${frechet.toFixed(2)}, precision ${percent(precision)}, recall ${percent(recall)}${asked}`
}

/** The mean of a measure over the seeds; NaN where it is missing. */
export function meanQuality({ qualities }: Pick<Measured, 'qualities'>, name: keyof Quality): number {
  return spreadOf(qualities.map((each) => each[name] ?? Number.NaN)).mean
}

/** `12.31 ± 0.40`; shares in percent. */
export function spreadText(qualities: readonly Quality[], name: keyof Quality): string {
  const isShare = name === 'precision' || name === 'recall' || name === 'accuracy'
  const { mean, deviation } = spreadOf(qualities.map((each) => (each[name] ?? Number.NaN) * (isShare ? 100 : 1)))
  if (Number.isNaN(mean)) return ''
  const digits = isShare ? 1 : 2
  const spread = qualities.length > 1 ? ` ± ${deviation.toFixed(digits)}` : ''
  return `${mean.toFixed(digits)}${spread}${isShare ? ' %' : ''}`
}

/** The measures that a table shows, in its order. */
const columns = [
  ['frechet', 'Frechet distance'],
  ['spatial', 'of places'],
  ['score', 'score'],
  ['precision', 'precision'],
  ['recall', 'recall'],
  ['accuracy', 'as asked'],
] as const

/** Every setting with its numbers. */
export function qualityTable(
  title: string,
  rows: readonly { readonly cells: readonly (string | number)[]; readonly measured: Pick<Measured, 'qualities'> }[],
  headings: readonly string[],
  caption = 'Means over the seeds of the noise ± their standard deviation.',
): Table {
  return {
    kind: 'table',
    title,
    caption,
    columns: [...headings, ...columns.map(([, heading]) => heading)],
    rows: rows.map(({ cells, measured: { qualities } }) => [
      ...cells,
      ...columns.map(([name]) => spreadText(qualities, name)),
    ]),
  }
}

/** What real pictures come to, as far as these numbers can be: training pictures measured as if they were drawn. */
export async function floorOf(
  pictures: StudyPictures,
  measure: Measure,
  { samples, seeds }: MeasuringSettings,
  context: JobContext,
): Promise<Measured> {
  const { pictures: all, labels } = await readPictures(pictures.train, samples * seeds)
  const row = all.data.length / labels.length
  const draw = (from: number): Drawn => {
    const start = Math.min(from * samples, Math.max(0, labels.length - samples))
    const data = (all.data as Uint8Array).slice(start * row, (start + samples) * row)
    const count = data.length / row
    return {
      pictures: { dtype: 'uint8', shape: [count, ...all.shape.slice(1)], data },
      labels: labels.slice(start, start + count),
    }
  }
  return measuredSetting(
    { name: 'real', identity: pictures.identity, draw: async (seed) => draw(seed - context.seed) },
    measure,
    { samples, seeds },
    context,
  )
}
