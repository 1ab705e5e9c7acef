/** The variational bound of a trained denoiser, time by time, and how noisy the gradients of its losses are. */
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { elementCount, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { conditioned } from '../conditions.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import { GaussianDiffusion } from '../gaussian-diffusion.ts'
import { boundTerm, priorBpd, trainingLosses } from '../losses.ts'
import { type DiffusionSettings, processConfig } from '../settings.ts'
import { drawTimes, type TimeSampler, UniformSampler } from '../training/time-samplers.ts'
import { type LabelledPictures, readPictures, type StudyPictures } from './pictures.ts'

/** The bound on bits per dimension. */
export interface BoundByTime {
  /** The mean term of each time. */
  readonly terms: readonly number[]
  /** The root of the mean square of each time's terms, which importance sampling draws times by. */
  readonly roots: readonly number[]
  /** All terms, and what no network changes. */
  readonly total: number
}

/** Pictures and times that go through the network at once. */
const atOnce = 100

/** Some rows of pictures, and their labels. */
function rowsOf({ pictures, labels }: LabelledPictures, rows: readonly number[]): { image: NDArray; label: NDArray } {
  const size = pictures.data.length / labels.length
  const pixels = new Uint8Array(rows.length * size)
  for (const [i, row] of rows.entries())
    pixels.set((pictures.data as Uint8Array).subarray(row * size, (row + 1) * size), i * size)
  const chosen = BigInt64Array.from(rows, (row) => BigInt(labels[row] ?? 0))
  return {
    image: { dtype: 'uint8', shape: [rows.length, ...pictures.shape.slice(1)], data: pixels },
    label: { dtype: 'int64', shape: [rows.length], data: chosen },
  }
}

/** Estimates the bound from `perTime` test pictures at each time, the same pictures and noise for every network. */
export async function boundByTime(
  { model, diffusion: settings, threads }: DenoiserExperiment,
  pictures: StudyPictures,
  perTime: number,
): Promise<BoundByTime> {
  const diffusion = new GaussianDiffusion(processConfig(settings))
  const { steps } = diffusion
  const score = compile((image: Tensor, label: Tensor, noise: Tensor, t: Tensor) => {
    const xStart = normalizePixels(image)
    const network = conditioned(model)({ labels: label })
    const term = boundTerm(diffusion, network, xStart, diffusion.qSample(xStart, t, noise), t).output
    return { term, prior: priorBpd(diffusion, xStart) }
  }, threadOptions({ threads }))
  model.eval()
  const all = await readPictures(pictures.test)
  const generator = new Generator(0)
  const [sums, squares] = [new Float64Array(steps), new Float64Array(steps)]
  let prior = 0
  for (let start = 0; start < steps * perTime; start += atOnce) {
    const numbers = Array.from({ length: atOnce }, (_, i) => Math.min(start + i, steps * perTime - 1))
    const times = numbers.map((number) => Math.floor(number / perTime))
    const { image, label } = rowsOf(
      all,
      numbers.map((number) => (number * 7919) % all.labels.length),
    )
    const noise = constant(generator.normal(elementCount(image.shape)), image.shape, 'float32')
    const found = await score(image, label, noise, constant(BigInt64Array.from(times, BigInt), [atOnce], 'int64'))
    const terms = toNumbers(found.term.array.data)
    const used = Math.min(atOnce, steps * perTime - start)
    for (let i = 0; i < used; i++) {
      const [time, term] = [times[i] ?? 0, terms[i] ?? 0]
      sums[time] = (sums[time] ?? 0) + term / perTime
      squares[time] = (squares[time] ?? 0) + term ** 2 / perTime
    }
    prior = toNumbers(found.prior.array.data).reduce((sum, value) => sum + value / atOnce, 0)
  }
  await score.release()
  const terms = [...sums]
  return { terms, roots: [...squares].map(Math.sqrt), total: terms.reduce((sum, term) => sum + term, prior) }
}

/** Times in proportion to given weights. */
class FixedSampler implements TimeSampler {
  readonly #weights: readonly number[]

  constructor(weights: readonly number[]) {
    this.#weights = weights
  }

  weights(): readonly number[] {
    return this.#weights
  }

  /** The weights stay. */
  update(): void {}
}

/** How a gradient is measured. */
export interface GradientPlan {
  /** Says which loss it is of. */
  readonly diffusion: DiffusionSettings
  /** Default: every time is as likely. */
  readonly roots?: readonly number[]
  readonly batches: number
  readonly batchSize: number
  readonly seed: number
}

export interface GradientNoise {
  /** Examples in a batch. */
  readonly scale: number
  /** false: the gradient is drowned in the noise of all the batches together, and the noise scale is more than `scale`. */
  readonly isSeen: boolean
}

/**
 * The noise scale of a loss's gradient, tr(S) / |G|^2 with S the covariance of the gradient of one example (McCandlish et al. 2018): the
 * batch at which noise and gradient are equally large. Estimated from the gradients of batches at fixed weights.
 */
export async function gradientNoise(
  { model, threads }: DenoiserExperiment,
  pictures: StudyPictures,
  { diffusion: settings, roots, batches, batchSize, seed }: GradientPlan,
): Promise<GradientNoise> {
  const diffusion = new GaussianDiffusion(processConfig(settings))
  const sampler = roots ? new FixedSampler(roots) : new UniformSampler(diffusion.steps)
  const parameters = model.parameters()
  const run = compile((image: Tensor, label: Tensor, noise: Tensor, t: Tensor, weights: Tensor) => {
    const network = conditioned(model)({ labels: ops.cast(label, 'int64') })
    const { loss } = trainingLosses(diffusion, network, normalizePixels(image), t, noise)
    const found = gradient(ops.mean(ops.mul(loss, weights)), parameters)
    return {
      all: ops.concat(
        found.map((each) => ops.flatten(each)),
        0,
      ),
    }
  }, threadOptions({ threads }))
  const generator = new Generator(seed)
  let [count, squares] = [0, 0]
  let sum = new Float64Array(0)
  for await (const { image, label } of new DataLoader(pictures.train, {
    batchSize,
    shuffle: true,
    seed,
    dropLast: true,
  })) {
    const drawn = drawTimes(sampler, [...generator.uniform(batchSize)])
    const noise = constant(generator.normal(elementCount(image.shape)), image.shape, 'float32')
    const times = constant(BigInt64Array.from(drawn.times, BigInt), [batchSize], 'int64')
    const weights = constant(Float32Array.from(drawn.weights), [batchSize], 'float32')
    const found = (await run(image, label, noise, times, weights)).all.array.data as Float32Array
    if (count === 0) sum = new Float64Array(sizeOf([found.length], 0))
    for (let i = 0; i < found.length; i++) {
      const value = found[i] ?? 0
      sum[i] = (sum[i] ?? 0) + value
      squares += value ** 2
    }
    count++
    if (count >= batches) break
  }
  await run.release()
  return noiseScale(
    sum.map((value) => value / count),
    { squares: squares / count, count, batchSize },
  )
}

/** The noise scale from the mean of the gradients of `count` batches and the mean of their squared lengths. */
export function noiseScale(
  mean: Float64Array,
  { squares, count, batchSize }: { readonly squares: number; readonly count: number; readonly batchSize: number },
): GradientNoise {
  const ofMean = mean.reduce((total, value) => total + value ** 2, 0)
  const variance = ((squares - ofMean) * count) / (count - 1)
  // What noise alone adds to the squared length of the mean: where the gradient is not longer than that, the mean's length bounds it.
  const byNoise = variance / count
  const isSeen = ofMean > 2 * byNoise
  return { scale: (batchSize * variance) / (isSeen ? ofMean - byNoise : ofMean), isSeen }
}
