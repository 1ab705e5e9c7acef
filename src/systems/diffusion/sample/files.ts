/** Picture files that `sample` reads and writes. */
import { resolve } from 'node:path'
import { decodeImage } from '../../../data/index.ts'
import { findFfmpeg } from '../../../data/sources/ffmpeg.ts'
import { encodeApng } from '../../../io/animation/apng.ts'
import { writeFilm } from '../../../io/animation/film.ts'
import { requireNotInput, requireWritable, writeFileAtomic } from '../../../io/atomic.ts'
import { writeNpz } from '../../../io/npz.ts'
import { encodePng } from '../../../io/png.ts'
import type { Picture } from '../../../report/figures.ts'
import { pictureSheet, picturesOf } from '../../../report/from-tensors.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { likeTraining } from '../../../tasks/pictures/predict.ts'
import { fromNumbers, type NDArray } from '../../../tensor/dtype.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import type { KnownPicture, SampleRequest } from './sampler.ts'
import { toBytes } from './sampler.ts'

/** Bytes 0 to 255 as the networks have them, -1 to 1. */
const normalized = (bytes: Uint8Array): Float32Array => Float32Array.from(bytes, (value) => value / 127.5 - 1)

/** A picture file in the size of a run, [C, H, W] in [-1, 1]. For a model of MNIST one with a light ground is taken for its negative. */
export async function readPicture(file: string, facts: PictureFacts): Promise<Float32Array> {
  const { image_size: size, in_channels: channels } = facts
  const { data } = await decodeImage(file, { size, channels })
  return normalized(likeTraining(data as Uint8Array, facts))
}

/** The picture with what is kept of it: where the mask, another file, is dark. */
export async function readKnown(file: string, mask: string, facts: PictureFacts): Promise<KnownPicture> {
  const { image_size: size, in_channels: channels } = facts
  const { data } = await decodeImage(mask, { size, channels: 1 })
  const kept = Float32Array.from(data as Uint8Array, (value) => (value < 128 ? 1 : 0))
  if (!kept.includes(0)) {
    throw new FormatError(`${mask}: a mask must be white where the picture is to be drawn, found nothing white`)
  }
  return { picture: await readPicture(file, facts), kept: repeated(kept, channels) }
}

function repeated(plane: Float32Array, channels: number): Float32Array {
  const planes = new Float32Array(channels * plane.length)
  for (let c = 0; c < channels; c++) planes.set(plane, c * plane.length)
  return planes
}

/** The kept part of a picture, the rest grey. */
export function keptPart({ picture, kept }: KnownPicture): Float32Array {
  return picture.map((value, i) => ((kept[i] ?? 0) > 0.5 ? value : 0))
}

/** Writes the pictures side by side. */
export async function writeGrid(
  file: string,
  pictures: readonly Picture[],
  columns: number | undefined,
): Promise<void> {
  const { pixels, width, height, channels } = pictureSheet(pictures, columns)
  await writeFileAtomic(file, encodePng(pixels, width, height, channels))
}

/** Writes the pictures [N, C, H, W] and their labels as OpenAI's scripts do. */
export async function writeNumbers(file: string, pictures: NDArray, labels: readonly number[]): Promise<void> {
  const numbers: NDArray = { dtype: 'int64', shape: [labels.length], data: fromNumbers('int64', labels) }
  const arrays = [
    ['arr_0', toBytes(pictures)],
    ['arr_1', numbers],
  ] as const
  await writeFileAtomic(file, writeNpz(arrays))
}

/** Milliseconds of an animation's pictures; the last one stays. */
const delay = 80
const lastDelay = 2500
/** Pictures on the way that are kept at most. */
const mostFrames = 60

/**
 * Before the work: files by their options, with their endings, that can be written and are none of the inputs; empty: none. Throws a
 * UsageError.
 */
export async function checkFiles(files: Readonly<Record<string, string>>, inputs: readonly string[]): Promise<void> {
  const given = Object.entries(files).filter(([, file]) => file !== '')
  for (const [i, [name, file]] of given.entries()) {
    const ending = name === 'npz' ? 'npz' : 'png'
    if (name !== 'animate' && !file.toLowerCase().endsWith(`.${ending}`))
      throw new UsageError(`sample: ${name} must name a .${ending} file, found "${file}"`)
    const [same] = given.slice(0, i).find(([, other]) => resolve(other) === resolve(file)) ?? []
    if (same) throw new UsageError(`sample: ${same} and ${name} must name two files, found "${file}" for both`)
    await requireNotInput(file, inputs, `give another file: --${name.replace('--', '')}`)
    await requireWritable(file)
  }
}

/** Which form a file of an animation has. Throws a UsageError for another. */
export function animationForm(file: string): 'png' | 'mp4' {
  const [, form] = /\.(png|mp4)$/i.exec(file) ?? []
  if (form === undefined) throw new UsageError(`sample: animate must name a .png or .mp4 file, found "${file}"`)
  return form.toLowerCase() === 'png' ? 'png' : 'mp4'
}

/** Gathers the pictures of some steps, of all batches, and writes them as an animation of grids. */
export class Animation {
  readonly #shape: readonly [count: number, channels: number, height: number, width: number]
  /** By step: pictures [count, C, H, W]. */
  readonly #frames = new Map<number, Float32Array>()
  readonly #steps: ReadonlySet<number>

  constructor(count: number, shape: readonly [channels: number, height: number, width: number], steps: number) {
    this.#shape = [count, ...shape]
    const frames = Math.min(mostFrames, steps)
    this.#steps = new Set(Array.from({ length: frames + 1 }, (_, i) => Math.round((i * steps) / frames)))
  }

  /** For the sampler. */
  readonly onPictures: NonNullable<SampleRequest['onPictures']> = (step, first, pictures) => {
    if (!this.#steps.has(step)) return
    const [count, channels, height, width] = this.#shape
    const size = channels * height * width
    const all = this.#frames.get(step) ?? new Float32Array(count * size)
    all.set(pictures.subarray(0, Math.min(pictures.length, (count - first) * size)), first * size)
    this.#frames.set(step, all)
  }

  async write(file: string, columns: number | undefined): Promise<void> {
    const sheets = [...this.#frames]
      .sort(([a], [b]) => a - b)
      .map(([, data]) => pictureSheet(picturesOf({ dtype: 'float32', shape: this.#shape, data }), columns))
    const [first] = sheets
    if (!first) return
    const frames = sheets.map(({ pixels }) => pixels)
    if (animationForm(file) === 'png') {
      await writeFileAtomic(file, encodeApng(frames, { ...first, delay, lastDelay }))
      return
    }
    const last = frames.at(-1) ?? first.pixels
    const still = new Array<Uint8Array>(Math.round(lastDelay / delay)).fill(last)
    const film = [...frames, ...still]
    await writeFilm(file, film, { ...first, ffmpeg: findFfmpeg(), fps: 1000 / delay, frames: film.length })
  }
}
