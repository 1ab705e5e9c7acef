/** The use `sample`: pictures from a trained denoiser. */
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../../io/atomic.ts'
import { writeNpz } from '../../io/npz.ts'
import { encodePng } from '../../io/png.ts'
import { pictureSheet, picturesOf } from '../../report/from-tensors.ts'
import { defineUse } from '../../tasks/define.ts'
import type { OpenedPictures } from '../../tasks/pictures/open.ts'
import { fromNumbers, type NDArray } from '../../tensor/dtype.ts'
import { count, pathSetting, share, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/names.ts'
import { conditioned, type DenoiserExperiment } from './denoiser.ts'
import { classifierGuide, GaussianDiffusion } from './gaussian-diffusion.ts'
import type { ClassifierExperiment } from './noisy-classifier.ts'
import { PictureSampler, samplerNames, toBytes } from './sampling.ts'
import { processConfig } from './settings.ts'

/** Scale of the classifier's gradient: that of the paper's formula. */
const usualGuidance = 1

const options = z.strictObject({
  sampler: z.enum(samplerNames).default('ddim').describe('ddim, which is good with few steps, or ancestral'),
  steps: whole.default(50).describe('steps from noise to picture, spaced evenly'),
  eta: share.default(0).describe('of ddim: how much noise it adds again'),
  guidance: z
    .number()
    .min(0)
    .default(usualGuidance)
    .describe('of a classifier: how strongly it pushes toward the class'),
  classifier: pathSetting('a run of diffusion/classifier that guides; empty: no guidance'),
  class: z.string().default('').describe('the class to draw, by its label; empty: all of them in turn'),
  count: whole.default(64).describe('pictures to draw'),
  batch_size: whole.default(64).describe('pictures at once; the same pictures whatever it is'),
  columns: count.default(0).describe('columns of the grid; 0: one for each class, or nearly square'),
  grid: pathSetting('PNG file for the pictures side by side; empty: --out, or samples.png in the run'),
  npz: pathSetting('file for the pictures as numbers: arr_0 uint8 [count, height, width, channels], arr_1 labels'),
})

type SampleOptions = z.infer<typeof options>

/** The number of each picture's class. */
function labelsOf({ class: wanted, count: pictures }: SampleOptions, labels: readonly string[]): number[] {
  if (wanted === '') return Array.from({ length: pictures }, (_, i) => i % labels.length)
  const found = labels.indexOf(wanted)
  if (found < 0) throw new UsageError(`sample: there is no class "${wanted}"`, { hint: suggestion(wanted, labels) })
  return new Array<number>(pictures).fill(found)
}

/** The steps of the settings; DDIM's of the paper are those of an even stride. */
function process({ diffusion }: DenoiserExperiment, { steps }: SampleOptions): GaussianDiffusion {
  const { diffusion_steps } = diffusion
  if (steps < 2 || steps > diffusion_steps) {
    throw new UsageError(`sample: steps must be from 2 to ${diffusion_steps}, as many as were trained, found ${steps}`)
  }
  return new GaussianDiffusion(processConfig(diffusion, String(steps)))
}

/** The classifier must have been trained on the same classes, sizes and noise. */
function checkClassifier(denoiser: DenoiserExperiment, classifier: ClassifierExperiment): void {
  const described = ({ facts, diffusion }: DenoiserExperiment | ClassifierExperiment) => ({
    classes: facts.labels.join(', '),
    'picture sizes': facts.image_size.join(' x '),
    channels: facts.in_channels,
    'noise schedules': diffusion.noise_schedule,
    'diffusion steps': diffusion.diffusion_steps,
  })
  const [own, other] = [described(denoiser), described(classifier)]
  for (const [name, value] of Object.entries(own)) {
    const found = other[name as keyof typeof other]
    if (found !== value)
      throw new UsageError(`sample: denoiser and classifier must have the same ${name}, found ${value} and ${found}`)
  }
}

/** Writes the pictures side by side, and as numbers if asked. Returns the files. */
async function writePictures(
  pictures: NDArray,
  labels: readonly number[],
  { columns, npz }: SampleOptions,
  { grid, usualColumns }: { readonly grid: string; readonly usualColumns: number | undefined },
): Promise<string[]> {
  const sheet = pictureSheet(picturesOf(pictures), columns > 0 ? columns : usualColumns)
  await writeFileAtomic(grid, encodePng(sheet.pixels, sheet.width, sheet.height, sheet.channels))
  if (npz === '') return [grid]
  const numbers: NDArray = { dtype: 'int64', shape: [labels.length], data: fromNumbers('int64', labels) }
  await writeFileAtomic(
    npz,
    writeNpz([
      ['arr_0', toBytes(pictures)],
      ['arr_1', numbers],
    ]),
  )
  return [grid, npz]
}

/** Options that would have no effect. */
function checkOptions({ sampler, eta, guidance, classifier }: SampleOptions): void {
  if (sampler === 'ancestral' && eta !== 0)
    throw new UsageError(`sample: eta is for the sampler ddim, found ${eta} for ancestral`)
  if (classifier === '' && guidance !== usualGuidance) {
    throw new UsageError(`sample: guidance needs a classifier, found ${guidance} without one`, {
      hint: 'train one with tenfold train diffusion/classifier, and give --classifier RUN',
    })
  }
}

/** The use `sample`. */
export const samplePictures = defineUse<DenoiserExperiment, SampleOptions, OpenedPictures>({
  summary: 'pictures from noise, as a grid: PNG (and npz)',
  inputs: '',
  options,
  run: async function* (experiment, _inputs, given, { run, out, seed, say, signal, openRun }) {
    checkOptions(given)
    const { model, facts, threads } = experiment
    const classifier =
      given.classifier === '' ? undefined : ((await openRun(given.classifier, 'classifier')) as ClassifierExperiment)
    if (classifier) checkClassifier(experiment, classifier)
    if (given.class !== '' && !model.label_emb && !classifier) {
      throw new UsageError('sample: this denoiser knows no classes, so a class needs a classifier that guides', {
        hint: 'train one with tenfold train diffusion/classifier, and give --classifier RUN',
      })
    }
    const labels = labelsOf(given, facts.labels)
    const diffusion = process(experiment, given)
    const guides = classifier && given.guidance > 0
    const sampler = new PictureSampler({
      diffusion,
      modules: classifier ? [model, classifier.model] : [model],
      network: conditioned(model),
      ...(guides && {
        guide: (y) => classifierGuide((x, timesteps) => classifier.model.forward(x, timesteps), y, given.guidance),
      }),
      shape: [facts.in_channels, ...facts.image_size],
      sampler: given.sampler,
      eta: given.eta,
      batchSize: Math.min(given.batch_size, given.count),
      ...(threads !== undefined && { threads }),
    })
    const start = performance.now()
    let told = start
    const onStep = (done: number, all: number): void => {
      if (performance.now() - told < 5000) return
      told = performance.now()
      say(`step ${done} of ${all}`)
    }
    const pictures = await sampler.sample({ labels, seed, onStep, signal })
    await sampler.release()
    const seconds = (performance.now() - start) / 1000
    const isByClass = given.class === '' && (model.label_emb !== undefined || classifier !== undefined)
    const files = await writePictures(pictures, labels, given, {
      grid: given.grid === '' ? (out ?? join(run, 'samples.png')) : given.grid,
      usualColumns: isByClass ? Math.min(given.count, facts.labels.length) : undefined,
    })
    const rate = given.count / seconds
    yield {
      values: { pictures: given.count, seconds, pictures_per_second: rate },
      line: `${given.count} pictures in ${seconds.toFixed(1)} s, ${rate.toFixed(1)} a second`,
    }
    for (const file of files) yield { file }
  },
})
