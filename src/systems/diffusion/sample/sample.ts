/** The use `sample`: pictures from a trained denoiser. */
import { findFfmpeg } from '../../../data/sources/ffmpeg.ts'
import type { Picture } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { defineUse, type UseContext } from '../../../tasks/define.ts'
import type { OpenedPictures } from '../../../tasks/pictures/open.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { deriveSeed } from '../../../util/random.ts'
import { counted } from '../../../util/words.ts'
import { conditioned } from '../conditions.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import { classifierGuide, GaussianDiffusion } from '../gaussian-diffusion.ts'
import type { ClassifierExperiment } from '../noisy-classifier.ts'
import { processConfig } from '../settings.ts'
import { weightsAt } from '../training/averages.ts'
import type { UpsamplerExperiment } from '../upsampler.ts'
import { checkClassifier, checkUpsampler } from './agreement.ts'
import {
  Animation,
  animationForm,
  checkFiles,
  keptPart,
  readKnown,
  readPicture,
  writeGrid,
  writeNumbers,
} from './files.ts'
import {
  checkOptions,
  labelOf,
  labelsOf,
  type SampleOptions,
  sampleOptions,
  samplerFor,
  stepsOf,
  walkLength,
} from './options.ts'
import { byteOf, PictureSampler, respacingOf, type SampleRequest } from './sampler.ts'
import { classOf, noiseOfPicture, noiseWalks } from './starts.ts'

/** The process with the steps of the options. */
function process({ diffusion }: Pick<DenoiserExperiment, 'diffusion'>, given: SampleOptions): GaussianDiffusion {
  const { diffusion_steps } = diffusion
  const respacing = respacingOf(samplerFor(given), stepsOf(given, diffusion_steps), diffusion_steps)
  return new GaussianDiffusion(processConfig(diffusion, respacing))
}

/** Numbers that networks work on at once: large pictures come one by one. */
const batchNumbers = 2 ** 24
const mostAtOnce = 64

function batchSizeOf({ batch_size }: SampleOptions, count: number, { model, facts }: DenoiserExperiment): number {
  const [height, width] = facts.image_size
  const fitting = Math.floor(batchNumbers / (model.config.model_channels * height * width))
  return Math.min(count, batch_size > 0 ? batch_size : Math.max(1, Math.min(mostAtOnce, fitting)))
}

/** A sampler for one of the networks. */
function samplerOf(
  experiment: DenoiserExperiment,
  given: SampleOptions,
  count: number,
  classifier?: ClassifierExperiment,
): PictureSampler {
  const { model, facts, threads } = experiment
  const guides = classifier && given.guidance > 0
  return new PictureSampler({
    diffusion: process(experiment, given),
    modules: classifier ? [model, classifier.model] : [model],
    network: conditioned(model),
    ...(guides && {
      guide: (y) => classifierGuide((x, timesteps) => classifier.model.forward(x, timesteps), y, given.guidance),
    }),
    shape: [facts.in_channels, ...facts.image_size],
    sampler: samplerFor(given),
    eta: given.eta,
    batchSize: batchSizeOf(given, count, experiment),
    ...(threads !== undefined && { threads }),
  })
}

/** What the pictures begin with, and what is shown of it in front of them. */
interface Beginning extends Pick<SampleRequest, 'start' | 'known'> {
  readonly shown: readonly Picture[]
}

type Progress = Pick<SampleRequest, 'onStep' | 'signal'>

async function beginningOf(
  sampler: PictureSampler,
  { facts, model }: DenoiserExperiment,
  classifier: ClassifierExperiment | undefined,
  given: SampleOptions,
  labels: readonly number[],
  { seed, say, progress }: Pick<UseContext, 'seed' | 'say'> & { readonly progress: Progress },
): Promise<Beginning> {
  const shape = [facts.in_channels, ...facts.image_size]
  const asPicture = (data: Float32Array): Picture[] => picturesOf({ dtype: 'float32', shape: [1, ...shape], data })
  if (given.interpolate) return { start: noiseWalks(labels.length, walkLength(given), shape, seed), shown: [] }
  if (given.inpaint !== '') {
    const known = await readKnown(given.inpaint, given.mask, facts)
    return { known, shown: asPicture(keptPart(known)) }
  }
  if (given.edit === '') return { shown: [] }
  const picture = await readPicture(given.edit, facts)
  const { from_class } = given
  const found =
    from_class !== '' ? labelOf(from_class, facts.labels) : classifier && (await classOf(picture, classifier))
  if (from_class === '' && model.label_emb) say(`${given.edit}: the classifier says ${facts.labels[found ?? 0]}`)
  const start = await noiseOfPicture(sampler, picture, found ?? 0, labels.length, facts, { seed, ...progress })
  return { start, shown: asPicture(picture) }
}

/** The pictures made larger by another run, from what a file of them would hold. */
async function enlarged(
  upsampler: UpsamplerExperiment,
  small: NDArray,
  given: SampleOptions,
  request: Pick<SampleRequest, 'labels' | 'seed' | 'onPictures'> & Progress,
): Promise<NDArray> {
  const sampler = samplerOf(upsampler, { ...given, classifier: '' }, request.labels.length)
  const lowRes = { ...small, data: Float32Array.from(toNumbers(small.data), (value) => byteOf(value) / 127.5 - 1) }
  const pictures = await sampler.sample({ ...request, lowRes })
  await sampler.release()
  return pictures
}

/** Says every few seconds how far the work is. */
function progressOf(say: (line: string) => void, signal: AbortSignal | undefined, what: string): Progress {
  let told = performance.now()
  let first: { readonly done: number; readonly time: number } | undefined
  return {
    signal,
    onStep: (done, all) => {
      const now = performance.now()
      // The first step takes long: it is compiled.
      if (!first || done < first.done) first = { done, time: now }
      if (now - told < 5000 || done === first.done) return
      told = now
      const left = ((now - first.time) / 1000 / (done - first.done)) * (all - done)
      say(`${what}: step ${done} of ${all}, ${Math.ceil(left)} s left`)
    },
  }
}

/** The use `sample`. */
export const samplePictures = defineUse<DenoiserExperiment, SampleOptions, OpenedPictures>({
  summary: 'pictures from noise, as a grid: PNG (and npz, animation)',
  inputs: '',
  options: sampleOptions,
  run: async function* (experiment, _inputs, given, { out, place, seed, say, signal, openRun, readTensors }) {
    const { model, facts } = experiment
    const isConditioned = model.label_emb !== undefined
    checkOptions(given, { labels: facts.labels, isConditioned })
    // What is missing is told before the work.
    if (given.animate !== '' && animationForm(given.animate) === 'mp4') findFfmpeg()
    const grid = given.grid === '' ? await place('samples.png') : given.grid
    const name = given.grid === '' && out !== undefined ? '--out' : 'grid'
    const inputs = [given.edit, given.inpaint, given.mask]
    await checkFiles({ [name]: grid, npz: given.npz, animate: given.animate }, inputs)
    if (given.ema > 0) model.loadStateDict(weightsAt(given.ema, await readTensors()))
    const opened = async <Run>(path: string, recipe: string): Promise<Run | undefined> =>
      path === '' ? undefined : await openRun<Run>(path, recipe)
    const classifier = await opened<ClassifierExperiment>(given.classifier, 'classifier')
    if (classifier) checkClassifier(experiment, classifier)
    const upsampler = await opened<UpsamplerExperiment>(given.upsample, 'upsampler')
    if (upsampler) checkUpsampler(experiment, upsampler)
    const labels = labelsOf(given, { labels: facts.labels, isConditioned })
    const sampler = samplerOf(experiment, given, labels.length, classifier)
    const { steps } = upsampler ? process(upsampler, given) : process(experiment, given)
    const final = upsampler ?? experiment
    const animation =
      given.animate === ''
        ? undefined
        : new Animation(labels.length, [facts.in_channels, ...final.facts.image_size], steps)

    const started = performance.now()
    const progress = progressOf(say, signal, upsampler ? 'small pictures' : 'pictures')
    const { shown, ...beginning } = await beginningOf(sampler, experiment, classifier, given, labels, {
      seed,
      say,
      progress,
    })
    const watched = animation && { onPictures: animation.onPictures }
    const own = await sampler.sample({ labels, seed, ...beginning, ...progress, ...(!upsampler && watched) })
    await sampler.release()
    const pictures = upsampler
      ? await enlarged(upsampler, own, given, {
          labels,
          seed: deriveSeed(seed, 'upsampler'),
          ...progressOf(say, signal, 'large pictures'),
          ...watched,
        })
      : own
    const seconds = (performance.now() - started) / 1000

    const isByClass = given.class === '' && !given.interpolate && (isConditioned || classifier !== undefined)
    const usual = given.interpolate ? walkLength(given) : isByClass ? Math.min(labels.length, facts.labels.length) : 0
    const columns = given.columns || usual || undefined
    await writeGrid(grid, [...shown, ...picturesOf(pictures)], shown.length > 0 ? given.columns || undefined : columns)
    if (given.npz !== '') await writeNumbers(given.npz, pictures, labels)
    if (animation) await animation.write(given.animate, columns)

    const rate = labels.length / seconds
    yield {
      values: { pictures: labels.length, seconds, pictures_per_second: rate },
      line: `${counted(labels.length, 'picture')} in ${seconds.toFixed(1)} s, ${rate.toFixed(1)} a second`,
    }
    for (const file of [grid, given.npz, given.animate]) if (file !== '') yield { file }
  },
})
