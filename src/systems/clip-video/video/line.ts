/** The key picture of one line: latents that are changed, step by step, until cutouts of what they generate look like the words to CLIP. */
import { compile } from '../../../compile/compile.ts'
import { type ThreadOptions, threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { deriveSeed, Generator } from '../../../util/random.ts'
import { dot, meanOf } from '../../../util/vectors.ts'
import { unit } from '../model.ts'
import { unitRows } from '../pairs/retrieval.ts'
import { classFinder, namedClass } from './beginnings.ts'
import { type CutoutBox, type CutoutOptions, clipView, cutOut, cutoutPlaces, drawCutout } from './cutouts.ts'
import type { Seer, VideoGenerator } from './models.ts'
import { type FoundLatents, gradientSearch, trialSearch } from './search.ts'

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
  /** Whether a line begins with the class that its words name, else one whose name and picture fit best. Default: with random ones, as published. */
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

/** Cutouts that score a picture. */
const scoredCutouts = 64
/** Places of the map of scores, a side. */
export const seenGrid = 16

/** A line between two steps. */
export interface LineSearch {
  /** One step of Adam with cutouts of its own; resolves to their mean cosine with the text. */
  readonly step: () => Promise<number>
  readonly found: () => FoundLatents
}

/** Finds latents for texts, one after the other, with one compiled step for all. */
export interface LineOptimiser {
  /** `text`: features of length 1; `words`: the same in words, if it is to begin with a class that these name. */
  readonly optimise: (text: Float64Array, seed: bigint, words?: string) => Promise<OptimisedLine>
  /** The same step by step, with cutouts as published or others. There is one line at a time: the one that was begun last. */
  readonly begin: (
    text: Float64Array,
    seed: bigint,
    options?: { readonly parts?: CutoutOptions; readonly words?: string | undefined },
  ) => Promise<LineSearch>
  /** For each text its mean cosine with 64 cutouts of a picture [3, side, side], and where they were cut. */
  readonly scores: (picture: Float32Array, texts: readonly Float64Array[], parts?: CutoutOptions) => Promise<Scored[]>
  readonly release: () => Promise<void>
}

interface Scored {
  readonly mean: number
  readonly boxes: readonly CutoutBox[]
  readonly cosines: readonly number[]
}

/** Prepares the optimisation of lines with a generator and a CLIP. */
export function lineOptimiser(generator: VideoGenerator, seer: Seer, options: LineOptions): LineOptimiser {
  const threads = threadOptions(options)
  const look = compile((picture: Tensor, places: Tensor, noise: Tensor) => {
    return unit(seer.see(clipView(cutOut(picture, places), noise))) // [N, E]
  }, threads)
  const featuresOf = async (picture: Float32Array, places: NDArray, noise: NDArray): Promise<Float64Array[]> => {
    const { side } = generator
    const found = await look({ dtype: 'float32', shape: [1, 3, side, side], data: picture }, places, noise)
    return unitRows(found.array)
  }
  const cosinesOf = async (picture: Float32Array, text: Float64Array, places: NDArray, noise: NDArray) =>
    (await featuresOf(picture, places, noise)).map((features) => dot(features, text))
  const search =
    generator.generate === undefined
      ? trialSearch(generator, seer, options, cosinesOf)
      : gradientSearch(generator, seer, options, generator.generate)
  const finder =
    options.begin === 'class' && generator.labels ? classFinder(generator, generator.labels, seer, threads) : undefined

  const scores: LineOptimiser['scores'] = async (picture, texts, parts = {}) => {
    const random = new Generator(1)
    const boxes = Array.from({ length: scoredCutouts }, () => drawCutout(random, generator.side, parts))
    const places = cutoutPlaces(boxes, generator.side, seer.side)
    const noise = random.normal(scoredCutouts * 3 * seer.side ** 2)
    const shape = [scoredCutouts, 3, seer.side, seer.side]
    const features = await featuresOf(picture, places, { dtype: 'float32', shape, data: noise })
    return texts.map((text) => {
      const cosines = features.map((each) => dot(each, text))
      return { mean: meanOf(cosines), boxes, cosines }
    })
  }
  const score = async (picture: Float32Array, text: Float64Array): Promise<Scored> => {
    const [scored] = await scores(picture, [text])
    return scored ?? { mean: Number.NaN, boxes: [], cosines: [] }
  }
  const begin: LineOptimiser['begin'] = async (text, seed, { parts = {}, words = '' } = {}) => {
    const active = finder && (namedClass(words, generator.labels ?? []) ?? (await finder.find(text)))
    search.start(new Generator(deriveSeed(seed, 'latents')), active)
    const random = new Generator(deriveSeed(seed, 'cutouts'))
    return { step: () => search.step(text, random, parts), found: search.found }
  }
  return {
    scores,
    begin,
    optimise: async (text, seed, words) => {
      const line = await begin(text, seed, { words })
      const first = line.found()
      const before = await score(await generator.draw(first.latents, first.classes), text)
      const curve: number[] = []
      for (let step = 0; step < options.steps; step++) curve.push(await line.step())
      const { latents, classes } = line.found()
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
