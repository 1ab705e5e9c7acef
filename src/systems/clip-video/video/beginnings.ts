/** Where the search for a line's latents begins: at the class that its words name, or one whose name and picture fit them. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { dot } from '../../../util/vectors.ts'
import { unit } from '../model.ts'
import { clipView, cutOut, cutoutPlaces } from './cutouts.ts'
import type { Seer, VideoGenerator } from './models.ts'

/** Where the published script begins: logits of all classes, normal. */
const usual = { mean: -3.9, deviation: 0.3 }
/**
 * With a class chosen: its own logit, and those of all others. Hundreds of small ones, pushed the same way, would be a direction of their own in
 * which the picture becomes a blot that only CLIP likes.
 */
const chosen = { own: 3, mean: -8, deviation: 0.3 }

/** Logits of classes [rows, classes], row by row: around the published value, or one class active in every row. */
export function firstLogits(random: Generator, rows: number, classes: number, active?: number): Float32Array {
  const { mean, deviation } = active === undefined ? usual : chosen
  return Float32Array.from(random.normal(rows * classes), (value, i) =>
    i % classes === active ? chosen.own : mean + deviation * value,
  )
}

/** The class whose name stands first in the words (of two at the same place the longer one): lyrics made of class labels. */
export function namedClass(words: string, names: readonly string[]): number | undefined {
  const spaced = (text: string): string =>
    ` ${text
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .join(' ')
      .trim()} `
  const text = spaced(words)
  const found = names.flatMap((name, label) => {
    const place = text.indexOf(spaced(name))
    return place < 0 || spaced(name).trim() === '' ? [] : [{ label, place, length: name.length }]
  })
  return found.toSorted((a, b) => a.place - b.place || b.length - a.length)[0]?.label
}

/**
 * Finds the class of which the cosines of its name and of its picture with a text have the largest sum. All classes are read, drawn and seen once,
 * when first asked.
 */
export function classFinder(generator: VideoGenerator, names: readonly string[], seer: Seer, threads: ThreadOptions) {
  const { side, rows, noise, classes } = generator
  const whole = { size: side, row: 0, column: 0, left: 0, right: 0, top: 0, bottom: 0 }
  const places = cutoutPlaces([whole], side, seer.side)
  const look = compile((picture: Tensor, at: Tensor) => {
    const view = cutOut(picture, at) // [1, 3, a, a]
    return unit(seer.see(clipView(view, ops.zeros(view.shape)))) // [1, E]
  }, threads)
  let seen: Promise<Float64Array[]> | undefined
  const seeAll = async (): Promise<Float64Array[]> => {
    const latents = Float32Array.from(new Generator(1).normal(rows * noise))
    const features: Float64Array[] = []
    const read = await seer.readTexts(names)
    for (let own = 0; own < classes; own++) {
      const active = Float32Array.from({ length: rows * classes }, (_, i) => (i % classes === own ? 1 : 0))
      const picture = await generator.draw(latents, active)
      const found = await look({ dtype: 'float32', shape: [1, 3, side, side], data: picture }, places)
      features.push(Float64Array.from(toNumbers(found.array.data), (value, i) => value + (read[own]?.[i] ?? 0)))
    }
    return features
  }
  return {
    /** `text`: features of length 1. */
    find: async (text: Float64Array): Promise<number> => {
      seen ??= seeAll()
      const cosines = (await seen).map((features) => dot(features, text))
      return cosines.indexOf(Math.max(...cosines))
    },
    release: (): Promise<void> => look.release(),
  }
}
