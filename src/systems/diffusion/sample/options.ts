/** The options of `tenfold sample`, and which of them go together. */
import { z } from 'zod'
import { count, pathSetting, share } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/words.ts'
import { samplerNames } from './sampler.ts'

/** Scale of the classifier's gradient: that of the paper's formula. */
export const usualGuidance = 1

/** Pictures where nothing else is said. */
const usualCount = 64

/** Steps where nothing else is said: more change little. */
const usualSteps = 100

/** The steps of pictures that were trained with so many. */
export function stepsOf({ steps }: SampleOptions, trained: number): number {
  const wanted = steps === 0 ? Math.min(usualSteps, trained) : steps
  if (wanted >= 2 && wanted <= trained) return wanted
  throw new UsageError(`sample: steps must be from 2 to ${trained}, as many as were trained, found ${steps}`)
}

/** Pictures from one noise to another. */
const usualWalk = 10

export const sampleOptions = z.strictObject({
  sampler: z
    .enum(['auto', ...samplerNames])
    .default('auto')
    .describe('ancestral, or ddim, which adds no noise; auto: ancestral, but for edit, interpolate and eta'),
  steps: count
    .default(0)
    .describe(`steps from noise to picture, spaced evenly; 0: ${usualSteps}, or all where fewer were trained`),
  eta: share.default(0).describe('of ddim: how much noise it adds again'),
  guidance: z
    .number()
    .min(0)
    .default(usualGuidance)
    .describe('of a classifier: how strongly it pushes toward the class'),
  classifier: pathSetting('a run of diffusion/classifier that guides; empty: no guidance'),
  ema: share.default(0).describe('draw with the average of this rate, one of train.ema_rates; 0: as trained'),
  class: z.string().default('').describe('the class to draw, by its label; empty: all of them in turn'),
  count: count.default(0).describe(`pictures to draw; 0: ${usualCount}, or of edit one for each class`),
  batch_size: count.default(0).describe('pictures at once, the same pictures whatever it is; 0: what fits into memory'),
  columns: count.default(0).describe('columns of the grid; 0: one for each class, or nearly square'),
  grid: pathSetting('PNG file for the pictures side by side; empty: --out, or samples.png in the run'),
  npz: pathSetting('file for the pictures as numbers: arr_0 uint8 [count, height, width, channels], arr_1 labels'),
  animate: pathSetting('file for the way from noise to pictures: .png (animated), or .mp4 where ffmpeg is installed'),
  upsample: pathSetting('a run of diffusion/upsampler that makes the pictures larger, in as many steps'),
  edit: pathSetting('a picture to change: its noise is found by ddim in reverse, and drawn as another class'),
  from_class: z.string().default('').describe('of edit: the class of the picture; empty: as the classifier says'),
  inpaint: pathSetting('a picture of which the part that the mask shows is drawn anew'),
  mask: pathSetting('of inpaint: a picture that is white where to draw, black where to keep'),
  interpolate: z.boolean().default(false).describe('each row of the grid goes from one noise to another'),
})

export type SampleOptions = z.infer<typeof sampleOptions>

/** What the options need to know of the runs. */
export interface KnownRuns {
  readonly labels: readonly string[]
  /** Whether the denoiser knows classes. */
  readonly isConditioned: boolean
}

/** The number of a label. */
export function labelOf(wanted: string, labels: readonly string[]): number {
  const found = labels.indexOf(wanted)
  if (found < 0) throw new UsageError(`sample: there is no class "${wanted}"`, { hint: suggestion(wanted, labels) })
  return found
}

/** How pictures are drawn: what adds no noise, where pictures are to follow from what they begin with. */
export function samplerFor({ sampler, edit, interpolate, eta }: SampleOptions): (typeof samplerNames)[number] {
  if (sampler !== 'auto') return sampler
  return edit !== '' || interpolate || eta !== 0 ? 'ddim' : 'ancestral'
}

/** Pictures in a row of a walk from noise to noise. */
export function walkLength({ columns }: SampleOptions): number {
  return columns > 1 ? columns : usualWalk
}

/** The number of each picture's class: a row of a walk has one, a grid has all of them in turn. */
export function labelsOf(options: SampleOptions, { labels }: KnownRuns): number[] {
  const { class: wanted, count: given, edit, interpolate } = options
  const one = wanted === '' ? undefined : labelOf(wanted, labels)
  const pictures = given > 0 ? given : edit === '' ? usualCount : one === undefined ? labels.length : 1
  const classOf = (i: number): number => (interpolate ? Math.floor(i / walkLength(options)) : i) % labels.length
  return Array.from({ length: pictures }, (_, i) => one ?? classOf(i))
}

const trainClassifier = { hint: 'train one with tenfold train diffusion/classifier, and give --classifier RUN' }

/** Options that have no effect together, or need others. */
export function checkOptions(options: SampleOptions, { isConditioned }: KnownRuns): void {
  const { sampler, eta, guidance, classifier, edit, from_class, inpaint, mask, interpolate, upsample } = options
  if (sampler === 'ancestral' && eta !== 0)
    throw new UsageError(`sample: eta is for the sampler ddim, found ${eta} for ancestral`)
  if (classifier === '' && guidance !== usualGuidance)
    throw new UsageError(`sample: guidance needs a classifier, found ${guidance} without one`, trainClassifier)
  if (options.class !== '' && !isConditioned && classifier === '') {
    throw new UsageError(
      'sample: this denoiser knows no classes, so a class needs a classifier that guides',
      trainClassifier,
    )
  }
  const kinds = Object.entries({ edit, inpaint, interpolate }).filter(([, given]) => given !== '' && given !== false)
  if (kinds.length > 1)
    throw new UsageError(`sample: only one of edit, inpaint and interpolate, found ${kinds.map(([name]) => name)}`)
  if ((edit !== '' || interpolate) && (sampler === 'ancestral' || eta !== 0)) {
    const found = sampler === 'ancestral' ? sampler : `eta ${eta}`
    throw new UsageError(`sample: ${kinds[0]?.[0]} needs ddim without noise of its own (eta 0), found ${found}`)
  }
  const short = Object.entries({ columns: options.columns, count: options.count }).find(([, given]) => given === 1)
  if (interpolate && short)
    throw new UsageError(`sample: interpolate needs a row from one noise to another, found ${short[0]} 1`, {
      hint: `--columns ${usualWalk} --count ${usualWalk}`,
    })
  if ((inpaint === '') !== (mask === ''))
    throw new UsageError(`sample: inpaint and mask go together, found only ${inpaint === '' ? 'mask' : 'inpaint'}`)
  if (edit === '' && from_class !== '') throw new UsageError('sample: from_class is for edit, found it without')
  if (edit !== '' && !isConditioned && classifier === '') {
    throw new UsageError(
      'sample: an edit changes the class, and this denoiser knows none: it needs a classifier that guides',
      trainClassifier,
    )
  }
  if (edit !== '' && isConditioned && from_class === '' && classifier === '') {
    throw new UsageError('sample: edit needs the class of the picture', {
      hint: '--from-class LABEL, or --classifier RUN, which then says it',
    })
  }
  if (upsample !== '' && (edit !== '' || inpaint !== ''))
    throw new UsageError(
      `sample: upsample is for pictures from noise, found it with ${edit === '' ? 'inpaint' : 'edit'}`,
    )
}
