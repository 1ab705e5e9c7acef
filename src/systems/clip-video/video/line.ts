/** The key picture of one line: latents that are changed, step by step, until cutouts of what they generate look like the words to CLIP. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { Adam } from '../../../optim/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { deriveSeed, Generator } from '../../../util/random.ts'
import { classFinder, firstLogits } from './beginnings.ts'
import { type CutoutBox, clipView, cutOut, cutoutPlaces, drawCutout } from './cutouts.ts'
import { classLoss, latentLoss } from './losses.ts'
import type { Seer, VideoGenerator } from './models.ts'
import { lineLosses, lineOptimizer, VideoLatents } from './optimisation.ts'

/** How a line's latents are found; names and defaults of the published script where it has them. */
export interface LineOptions extends ThreadOptions {
  /** Steps of Adam. */
  readonly steps: number
  /** Cutouts in each step. */
  readonly cutouts: number
  readonly lr: number
  /** Whether latents must stay likely, and few classes be active. */
  readonly latentLoss: boolean
  readonly classLoss: boolean
  /** Whether a line begins with the class whose picture fits best, where classes have names. Default: with random ones, as published. */
  readonly begin?: 'class' | 'noise'
}

/** What a line has become. */
export interface OptimisedLine {
  /** Noise [rows, noise], and class vectors [rows, classes] after the sigmoid. */
  readonly latents: readonly number[]
  readonly classes: readonly number[]
  /** The same before the first step. */
  readonly first: { readonly latents: readonly number[]; readonly classes: readonly number[] }
  /** Mean cosine of text and cutouts before each step. */
  readonly curve: readonly number[]
  /** Mean cosine over the same 64 cutouts, of the first picture and of the last. */
  readonly before: number
  readonly after: number
  /** For each place of a coarse grid the mean cosine of the cutouts that show it: [grid, grid]. */
  readonly seen: readonly number[]
}

/**
 * The class loss is a mean over classes: among 24 an active one would cost forty times what it costs among the original's 1,000, more than any
 * picture could win. With this factor it costs the same.
 */
function classWeight(classes: number): number {
  return classes / 1000
}

/** Cutouts that score a picture. */
const scoredCutouts = 64
/** Places of the map of scores, a side. */
export const seenGrid = 16

/** Finds latents for texts, one after the other, with one compiled step for all. */
export interface LineOptimiser {
  /** `text`: features of length 1. */
  readonly optimise: (text: Float64Array, seed: bigint) => Promise<OptimisedLine>
  /** Mean cosine of a text and 64 cutouts of a picture [3, side, side], and where they were cut. */
  readonly score: (picture: Float32Array, text: Float64Array) => Promise<Scored>
  readonly release: () => Promise<void>
}

interface Scored {
  readonly mean: number
  readonly boxes: readonly CutoutBox[]
  readonly cosines: readonly number[]
}

/** One step's cutouts and noise. */
function drawStep(
  random: Generator,
  count: number,
  side: number,
  cutSide: number,
): { places: NDArray; noise: NDArray } {
  const boxes = Array.from({ length: count }, () => drawCutout(random, side))
  return {
    places: cutoutPlaces(boxes, side, cutSide),
    noise: {
      dtype: 'float32',
      shape: [count, 3, cutSide, cutSide],
      data: random.normal(count * 3 * cutSide * cutSide),
    },
  }
}

/** The state of a line between steps, which the two ways of finding latents share. */
interface Search {
  /** `active`: the class to begin with. */
  readonly start: (random: Generator, active?: number) => void
  readonly step: (text: NDArray, random: Generator) => Promise<number>
  readonly found: () => { latents: Float32Array; classes: Float32Array }
  readonly release: () => Promise<void>
}

/** Prepares the optimisation of lines with a generator and a CLIP. */
export function lineOptimiser(generator: VideoGenerator, seer: Seer, options: LineOptions): LineOptimiser {
  const threads = options.threads === undefined ? {} : { threads: options.threads }
  const look = compile((picture: Tensor, places: Tensor, noise: Tensor, text: Tensor) => {
    const features = seer.see(clipView(cutOut(picture, places), noise))
    return ops.cosineSimilarity(text, features, { axis: -1 }) // [N]
  }, threads)
  const cosinesOf = async (
    picture: Float32Array,
    text: NDArray,
    places: NDArray,
    noise: NDArray,
  ): Promise<number[]> => {
    const { side } = generator
    const found = await look({ dtype: 'float32', shape: [1, 3, side, side], data: picture }, places, noise, text)
    return toNumbers(found.array.data)
  }
  const search =
    generator.generate === undefined
      ? trialSearch(generator, seer, options, cosinesOf)
      : gradientSearch(generator, seer, options, generator.generate)
  const finder = options.begin === 'class' && generator.labels ? classFinder(generator, seer, threads) : undefined

  const score = async (picture: Float32Array, text: Float64Array): Promise<Scored> => {
    const random = new Generator(1)
    const boxes = Array.from({ length: scoredCutouts }, () => drawCutout(random, generator.side))
    const places = cutoutPlaces(boxes, generator.side, seer.side)
    const noise = random.normal(scoredCutouts * 3 * seer.side ** 2)
    const shape = [scoredCutouts, 3, seer.side, seer.side]
    const cosines = await cosinesOf(picture, rowOf(text), places, { dtype: 'float32', shape, data: noise })
    return { mean: cosines.reduce((sum, value) => sum + value, 0) / cosines.length, boxes, cosines }
  }
  return {
    score,
    optimise: async (text, seed) => {
      search.start(new Generator(deriveSeed(seed, 'latents')), await finder?.find(text))
      const random = new Generator(deriveSeed(seed, 'cutouts'))
      const first = search.found()
      const before = await score(await generator.draw(first.latents, first.classes), text)
      const curve: number[] = []
      for (let step = 0; step < options.steps; step++) curve.push(await search.step(rowOf(text), random))
      const { latents, classes } = search.found()
      const after = await score(await generator.draw(latents, classes), text)
      return {
        latents: Array.from(latents),
        classes: Array.from(classes),
        first: { latents: Array.from(first.latents), classes: Array.from(first.classes) },
        curve,
        before: before.mean,
        after: after.mean,
        seen: seenMap(after, generator.side),
      }
    },
    release: async () => {
      await look.release()
      await search.release()
      await finder?.release()
    },
  }
}

const rowOf = (text: Float64Array): NDArray => ({
  dtype: 'float32',
  shape: [1, text.length],
  data: Float32Array.from(text),
})

/** Adam on the published losses, through the generator and CLIP. */
function gradientSearch(
  { side, rows, noise, classes }: VideoGenerator,
  seer: Seer,
  options: LineOptions,
  generate: (latents: Tensor, classes: Tensor) => Tensor,
): Search {
  const latents = new VideoLatents(rows, noise, classes)
  const smallestClasses = Math.max(1, classes - 1)
  const optimizer: Adam = lineOptimizer(latents, { lr: options.lr })
  const run = compile(
    (text: Tensor, places: Tensor, noises: Tensor) => {
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
    },
    options.threads === undefined ? {} : { threads: options.threads },
  )
  return {
    start: (random, active) => {
      latents.normu.set(random.normal(rows * noise))
      latents.cls.set(firstLogits(random, rows, classes, active))
      for (const variable of optimizer.variables().values()) variable.set(new Array<number>(variable.size).fill(0))
    },
    step: async (text, random) => {
      const { places, noise: noises } = drawStep(random, options.cutouts, side, seer.side)
      return -(await (await run(text, places, noises)).item()) / 100
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
function trialSearch(
  generator: VideoGenerator,
  seer: Seer,
  options: LineOptions,
  cosinesOf: (picture: Float32Array, text: NDArray, places: NDArray, noise: NDArray) => Promise<number[]>,
): Search {
  const { rows, noise, classes, draw, side } = generator
  const latents = new VideoLatents(rows, noise, Math.max(1, classes))
  const optimizer = lineOptimizer(latents, { lr: options.lr })
  const update = compile(
    (normu: Tensor, cls: Tensor) => {
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
    },
    options.threads === undefined ? {} : { threads: options.threads },
  )
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
  const [z, y] = [rows * noise, rows * classes]
  return {
    start: (random, active) => {
      latents.normu.set(random.normal(z))
      latents.cls.set(firstLogits(random, rows, Math.max(1, classes), active))
      for (const variable of optimizer.variables().values()) variable.set(new Array<number>(variable.size).fill(0))
    },
    step: async (text, random) => {
      const { places, noise: noises } = drawStep(random, options.cutouts, side, seer.side)
      const lossAt = async (dz: Float32Array, dy: Float32Array, sign: number): Promise<number> => {
        const moved = Float32Array.from(dz, (d, i) => Number(latents.normu.data[i]) + sign * triedDistance * d)
        const active = Float32Array.from({ length: y }, (_, i) =>
          sigmoid(Number(latents.cls.data[i]) + sign * triedDistance * (dy[i] ?? 0)),
        )
        const cosines = await cosinesOf(await draw(moved, active), text, places, noises)
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

/** What CLIP sees where: the mean cosine of all cutouts that show a place. */
function seenMap({ boxes, cosines, mean }: Scored, side: number): number[] {
  return Array.from({ length: seenGrid ** 2 }, (_, at) => {
    const [y, x] = [(Math.floor(at / seenGrid) + 0.5) / seenGrid, ((at % seenGrid) + 0.5) / seenGrid].map(
      (v) => v * side,
    ) as [number, number]
    let [sum, count] = [0, 0]
    for (const [i, { row, column, size }] of boxes.entries()) {
      if (y < row || y >= row + size || x < column || x >= column + size) continue
      sum += cosines[i] ?? 0
      count++
    }
    return count > 0 ? sum / count : mean
  })
}
