/** How latents of a line are found: by gradients through the generator and CLIP, or by trying. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { Adam } from '../../../optim/index.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { Generator } from '../../../util/random.ts'
import { firstLogits } from './beginnings.ts'
import { type CutoutOptions, cutoutPlaces, drawCutout } from './cutouts.ts'
import type { LineOptions } from './line.ts'
import { classLoss, latentLoss } from './losses.ts'
import type { Seer, VideoGenerator } from './models.ts'
import { lineLosses, lineOptimizer, VideoLatents } from './optimisation.ts'

/**
 * The class loss is a mean over classes: among 24 an active one would cost forty times what it costs among the original's 1,000, more than any
 * picture could win. With this factor it costs the same.
 */
function classWeight(classes: number): number {
  return classes / 1000
}

/** One step's cutouts and noise. */
function drawStep(
  random: Generator,
  count: number,
  side: number,
  cutSide: number,
  parts: CutoutOptions,
): { places: NDArray; noise: NDArray } {
  const boxes = Array.from({ length: count }, () => drawCutout(random, side, parts))
  return {
    places: cutoutPlaces(boxes, side, cutSide),
    noise: {
      dtype: 'float32',
      shape: [count, 3, cutSide, cutSide],
      data: random.normal(count * 3 * cutSide * cutSide),
    },
  }
}

/** Noise [rows, noise], and class vectors [rows, classes] after the sigmoid. */
export interface FoundLatents {
  readonly latents: Float32Array
  readonly classes: Float32Array
}

/** The state of a line between steps, which the two ways of finding latents share. */
export interface Search {
  /** `active`: the class to begin with. */
  readonly start: (random: Generator, active?: number) => void
  /** `text`: features of length 1. Gives the mean cosine before the step. */
  readonly step: (text: Float64Array, random: Generator, parts: CutoutOptions) => Promise<number>
  readonly found: () => FoundLatents
  readonly release: () => Promise<void>
}

const rowOf = (text: Float64Array): NDArray => ({
  dtype: 'float32',
  shape: [1, text.length],
  data: Float32Array.from(text),
})

/** Adam on the published losses, through the generator and CLIP. */
export function gradientSearch(
  { side, rows, noise, classes }: VideoGenerator,
  seer: Seer,
  options: LineOptions,
  generate: (latents: Tensor, classes: Tensor) => Tensor,
): Search {
  const latents = new VideoLatents(rows, noise, classes)
  const smallestClasses = Math.max(1, classes - 1)
  const optimizer: Adam = lineOptimizer(latents, { lr: options.lr })
  const run = compile((text: Tensor, places: Tensor, noises: Tensor) => {
    const { losses } = lineLosses(
      latents,
      { text, places, noise: noises },
      { generate, see: seer.see, smallestClasses },
    )
    const chosen = [
      losses.similarity,
      ...(options.latentLoss ? [losses.latent] : []),
      ...(options.classLoss ? [ops.mul(losses.class, classWeight(classes))] : []),
    ]
    optimizer.minimize(ops.addAll(chosen))
    return losses.similarity
  }, threadOptions(options))
  return {
    start: (random, active) => {
      latents.normu.set(random.normal(rows * noise))
      latents.cls.set(firstLogits(random, rows, classes, active))
      for (const variable of optimizer.variables().values()) variable.set(new Array<number>(variable.size).fill(0))
    },
    step: async (words, random, parts) => {
      const { places, noise: noises } = drawStep(random, options.cutouts, side, seer.side, parts)
      return -(await (await run(rowOf(words), places, noises)).item()) / 100
    },
    found: () => ({
      latents: Float32Array.from(toNumbers(latents.normu.data)),
      classes: Float32Array.from(toNumbers(latents.cls.data), (value) => 1 / (1 + Math.exp(-value))),
    }),
    release: () => run.release(),
  }
}

/** Latents that are tried around the present ones, in pairs of opposite directions. */
const triedPairs = 8
const triedDistance = 0.1

/**
 * Evolution strategies (Salimans et al. 2017, arXiv 1703.03864) with Adam, for generators without gradients: the mean of directions, weighted by
 * how much better their side is. The similarity is measured; of the other two losses the gradients are known.
 */
export function trialSearch(
  generator: VideoGenerator,
  seer: Seer,
  options: LineOptions,
  cosinesOf: (picture: Float32Array, text: Float64Array, places: NDArray, noise: NDArray) => Promise<number[]>,
): Search {
  const { rows, noise, classes, draw, side } = generator
  const latents = new VideoLatents(rows, noise, Math.max(1, classes))
  const optimizer = lineOptimizer(latents, { lr: options.lr })
  const update = compile((normu: Tensor, cls: Tensor) => {
    // The gradients of these products are the directions that were measured.
    const measured = ops.add(ops.sum(ops.mul(latents.normu, normu)), ops.sum(ops.mul(latents.cls, cls)))
    const state = latents.forward()
    const chosen = [
      measured,
      ...(options.latentLoss ? [latentLoss(state.latents, 1)] : []),
      ...(options.classLoss && classes > 1
        ? [ops.mul(classLoss(state.classes, classes - 1), classWeight(classes))]
        : []),
    ]
    optimizer.minimize(ops.addAll(chosen))
  }, threadOptions(options))
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
  const [z, y] = [rows * noise, rows * classes]
  return {
    start: (random, active) => {
      latents.normu.set(random.normal(z))
      latents.cls.set(firstLogits(random, rows, Math.max(1, classes), active))
      for (const variable of optimizer.variables().values()) variable.set(new Array<number>(variable.size).fill(0))
    },
    step: async (words, random, parts) => {
      const { places, noise: noises } = drawStep(random, options.cutouts, side, seer.side, parts)
      const lossAt = async (dz: Float32Array, dy: Float32Array, sign: number): Promise<number> => {
        const moved = Float32Array.from(dz, (d, i) => Number(latents.normu.data[i]) + sign * triedDistance * d)
        const active = Float32Array.from({ length: y }, (_, i) =>
          sigmoid(Number(latents.cls.data[i]) + sign * triedDistance * (dy[i] ?? 0)),
        )
        const cosines = await cosinesOf(await draw(moved, active), words, places, noises)
        return (-100 * cosines.reduce((sum, value) => sum + value, 0)) / cosines.length
      }
      const [gz, gy] = [new Float32Array(z), new Float32Array(Math.max(1, y))]
      let mean = 0
      for (let pair = 0; pair < triedPairs; pair++) {
        const [dz, dy] = [random.normal(z), random.normal(Math.max(1, y))]
        const [up, down] = [await lossAt(dz, dy, 1), await lossAt(dz, dy, -1)]
        mean += (up + down) / (2 * triedPairs)
        const slope = (up - down) / (2 * triedDistance * triedPairs)
        for (let i = 0; i < z; i++) gz[i] = (gz[i] ?? 0) + slope * (dz[i] ?? 0)
        for (let i = 0; i < y; i++) gy[i] = (gy[i] ?? 0) + slope * (dy[i] ?? 0)
      }
      await update(constant(gz, [rows, noise], 'float32'), constant(gy, [rows, Math.max(1, classes)], 'float32'))
      return -mean / 100
    },
    found: () => ({
      latents: Float32Array.from(toNumbers(latents.normu.data)),
      classes: Float32Array.from({ length: y }, (_, i) => sigmoid(Number(latents.cls.data[i]))),
    }),
    release: () => update.release(),
  }
}
