/** Truncation of BigGAN's noise: variety against likeness (section 3.1 of Brock et al. 2018), and why statistics belong to it. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Picture, Report } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { featureStatistics, frechetDistance } from '../../../train/sample-metrics.ts'
import { pathSetting, whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { allOf, eachOf, seedsFrom } from '../../parts.ts'
import { spreadOf } from '../../study.ts'
import type { BigGANExperiment } from '../biggan/adversarial.ts'
import { classSettings, openClasses } from '../biggan/classes.ts'
import { oneHotRows, truncatedNoise } from '../biggan/sampling.ts'
import type { ClipExperiment } from '../clip/contrastive.ts'
import { runPath, weightsDigest } from '../video/models.ts'

const config = z.strictObject({
  generator: pathSetting('a run of clip-video/biggan; empty: the newest run in the folder runs'),
  clip: pathSetting('a run of clip-video/clip, whose features are compared; empty: the newest run'),
  truncations: z
    .array(z.number().gt(0).max(1))
    .min(2)
    .default([0.2, 0.4, 0.6, 0.8, 1])
    .describe('of the noise that pictures are made from; 1: none'),
  pictures: whole.default(960).describe('pictures for each truncation and seed'),
  seeds: whole.default(3).describe('draws of the noise, for each truncation'),
})
type TruncationSettings = z.infer<typeof config>

/** Of the pictures of one seed. */
const measured = z.object({ frechet: z.number(), spread: z.number() })
type Measured = z.infer<typeof measured>

const atOnce = 48

/** Makes pictures with noise of one truncation and the statistics of another. */
function sampler({ model, facts }: BigGANExperiment, threads: number | undefined) {
  const { z_dim } = model.config
  const classes = facts.labels.length
  const run = compile(
    (noise: Tensor, oneHot: Tensor, statistics: number) => model.forward(noise, oneHot, statistics),
    threadOptions({ threads }),
  )
  return async (count: number, truncation: number, statistics: number, seed: number): Promise<NDArray> => {
    model.eval()
    const random = new Generator(seed)
    const batches = Math.ceil(count / atOnce)
    const parts: Float32Array[] = []
    for (let batch = 0; batch < batches; batch++) {
      const noise = truncatedNoise(random.uniform(atOnce * z_dim), truncation)
      const labels = Array.from({ length: atOnce }, (_, i) => (batch * atOnce + i) % classes)
      const made = await run(
        { dtype: 'float32', shape: [atOnce, z_dim], data: noise },
        { dtype: 'float32', shape: [atOnce, classes], data: oneHotRows(labels, atOnce, classes) },
        statistics,
      )
      parts.push((made.array.data as Float32Array).slice())
    }
    const size = 3 * facts.size ** 2
    const data = new Float32Array(batches * atOnce * size)
    for (const [i, part] of parts.entries()) data.set(part, i * atOnce * size)
    return { dtype: 'float32', shape: [batches * atOnce, 3, facts.size, facts.size], data }
  }
}

const bytesOf = ({ shape, data }: NDArray): NDArray => ({
  dtype: 'uint8',
  shape,
  data: Uint8Array.from(toNumbers(data), (value) => Math.max(0, Math.min(255, Math.trunc(128 * (value + 1))))),
})

const asArray = (rows: readonly Float64Array[]): NDArray => ({
  dtype: 'float32',
  shape: [rows.length, rows[0]?.length ?? 0],
  data: Float32Array.from(rows.flatMap((row) => [...row])),
})

/** Mean distance of features from their mean. */
function spreadOfFeatures(rows: readonly Float64Array[]): number {
  const mean = (rows[0] ?? new Float64Array()).map(
    (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length,
  )
  return rows.reduce((sum, row) => sum + Math.hypot(...row.map((value, i) => value - (mean[i] ?? 0))), 0) / rows.length
}

async function run(settings: TruncationSettings, context: JobContext): Promise<Report> {
  const { seed, threads } = context
  const generator = await context.openRun<BigGANExperiment>(await runPath(settings.generator, 'biggan'), 'biggan')
  const clip = await context.openRun<ClipExperiment>(await runPath(settings.clip, 'clip'), 'clip')
  const { styles, by, kinds } = generator.facts
  const drawings = await openClasses(classSettings().parse({ styles, by, classes: kinds }))
  const { image } = await drawings.test.batch([...Array(drawings.test.length).keys()], { epoch: 0, seed: 0 })
  const real = await clip.seePictures(image)
  const realStatistics = featureStatistics(asArray(real))
  const sample = sampler(generator, threads)
  const models = [weightsDigest(generator.model), weightsDigest(clip.model)]
  const measure = async (truncation: number, statistics: number): Promise<Measured[]> => {
    const found = await eachOf(context, seedsFrom(seed, settings.seeds), async (noiseSeed) => {
      context.signal?.throwIfAborted()
      const identity = { truncation, statistics, pictures: settings.pictures, models, seed: noiseSeed }
      const name = `samples/${truncation}-${statistics}-seed${noiseSeed}`
      const { part } = await context.keep(name, identity, measured, async () => {
        const made = await clip.seePictures(bytesOf(await sample(settings.pictures, truncation, statistics, noiseSeed)))
        return {
          frechet: frechetDistance(realStatistics, featureStatistics(asArray(made))),
          spread: spreadOfFeatures(made),
        }
      })
      return part
    })
    const frechet = spreadOf(found.map((each) => each.frechet)).mean
    context.progress(`truncation ${truncation}, statistics of ${statistics}: Frechet ${frechet.toFixed(3)}`, {
      truncation,
      statistics,
      frechet,
    })
    return found
  }
  const rows = await eachOf(context, settings.truncations, async (truncation) => {
    const [own = [], fixed = []] = await allOf(context, [truncation, 1], (statistics) =>
      measure(truncation, statistics),
    )
    return { truncation, own, fixed }
  })
  const sheets: Picture[] = []
  const columns = generator.facts.labels.length
  for (const { truncation } of rows) {
    const shown = picturesOf(await sample(columns * 2, truncation, truncation, seed)).slice(0, 2 * columns)
    sheets.push({ ...pictureSheet(shown, columns), caption: `truncation ${truncation}` })
  }
  return truncationReport(rows, sheets, { ...settings, real: spreadOfFeatures(real) })
}

/** The page. */
function truncationReport(
  rows: readonly {
    readonly truncation: number
    readonly own: readonly Measured[]
    readonly fixed: readonly Measured[]
  }[],
  sheets: readonly Picture[],
  { seeds, pictures, real }: Pick<TruncationSettings, 'seeds' | 'pictures'> & { readonly real: number },
): Report {
  const told = (found: readonly Measured[], key: keyof Measured): string => {
    const { mean, deviation } = spreadOf(found.map((each) => each[key]))
    return `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`
  }
  const curve = (name: string, arm: 'own' | 'fixed', key: keyof Measured) => ({
    name,
    points: rows.map((row) => ({ x: row.truncation, y: spreadOf(row[arm].map((each) => each[key])).mean })),
  })
  const mean = (found: readonly Measured[], key: keyof Measured): number =>
    spreadOf(found.map((each) => each[key])).mean
  const ordered = rows.toSorted((a, b) => a.truncation - b.truncation)
  const [low, high] = [ordered[0], ordered.at(-1)]
  const rises = (key: keyof Measured): boolean =>
    low !== undefined && high !== undefined && mean(high.own, key) > mean(low.own, key)
  return {
    title: 'clip-video / truncation',
    subtitle: 'Frechet distance and spread in the features of a mini CLIP, against truncation',
    summary: rows.map(({ truncation, own }) => ({
      label: `truncation ${truncation}`,
      value: mean(own, 'frechet').toFixed(3),
      note: `spread ${mean(own, 'spread').toFixed(3)}`,
    })),
    sections: [
      {
        title: 'What was found',
        figures: [
          {
            kind: 'text',
            title: 'In words',
            paragraphs: [
              `From truncation ${low?.truncation} to ${high?.truncation} the spread of the pictures ${rises('spread') ? 'rises' : 'does not rise'} and their Frechet distance to the drawings ${rises('frechet') ? 'rises too' : 'falls'}. The drawings' own spread is ${real.toFixed(3)}. In the paper the Frechet distance rises as the truncation shrinks, because variety is lost.`,
            ],
          },
          {
            kind: 'lines',
            title: 'Frechet distance',
            x: { label: 'truncation' },
            y: { label: 'Frechet distance' },
            series: [
              curve('statistics of the truncation', 'own', 'frechet'),
              curve('statistics of truncation 1', 'fixed', 'frechet'),
            ],
          },
          {
            kind: 'lines',
            title: 'Spread',
            x: { label: 'truncation' },
            y: { label: 'mean distance from the mean' },
            series: [
              curve('statistics of the truncation', 'own', 'spread'),
              curve('statistics of truncation 1', 'fixed', 'spread'),
            ],
          },
          {
            kind: 'table',
            title: 'In numbers',
            columns: [
              'truncation',
              'Frechet distance',
              'spread',
              'Frechet, statistics of 1',
              'spread, statistics of 1',
            ],
            rows: rows.map(({ truncation, own, fixed }) => [
              truncation,
              told(own, 'frechet'),
              told(own, 'spread'),
              told(fixed, 'frechet'),
              told(fixed, 'spread'),
            ]),
          },
          { kind: 'pictures', title: 'The same noise, shrunk', pictures: sheets, size: 816 },
        ],
      },
    ],
    footer: `${pictures} pictures for each number, ${seeds} seeds. Features of a mini CLIP: not comparable with published Frechet distances. Written by tenfold.`,
  }
}

export const truncation = defineJob({
  name: 'truncation',
  summary: "BigGAN's truncation: spread against Frechet distance, with the statistics that belong to it and without",
  config,
  packages: () => ['sharp'],
  run,
})
