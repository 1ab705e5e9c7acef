/** Sounds that are computed, by class: data that need nothing. */
import { deriveSeed, Generator } from '../../util/random.ts'
import { peakNormalized } from './recordings.ts'

const turn = 2 * Math.PI

/** What a tone is made with. */
interface Voice {
  /** Seconds of the whole sound. */
  readonly seconds: number
  /** Periods a second. */
  readonly pitch: number
  /** From 0 to 1, where in its period the tone begins. */
  readonly phase: number
  readonly random: Generator
}

/** The tone at a time, in seconds. */
type Tone = (time: number) => number

const fraction = (value: number): number => value - Math.floor(value)

/** Classes by the form of their waves. */
const tones: Readonly<Record<string, (voice: Voice) => Tone>> = {
  beats:
    ({ pitch, phase }) =>
    (t) =>
      Math.sin(turn * (pitch * t + phase)) + Math.sin(turn * pitch * 1.03 * t),
  clicks:
    ({ pitch, phase }) =>
    (t) =>
      fraction((pitch / 16) * t + phase) < 0.04 ? 1 : 0,
  falling:
    ({ pitch, phase, seconds }) =>
    (t) =>
      Math.sin(turn * (pitch * t * (2 - t / seconds) + phase)),
  noise:
    ({ random }) =>
    () =>
      random.normal(1)[0] ?? 0,
  rising:
    ({ pitch, phase, seconds }) =>
    (t) =>
      Math.sin(turn * (pitch * t * (0.5 + t / seconds) + phase)),
  saw:
    ({ pitch, phase }) =>
    (t) =>
      2 * fraction(pitch * t + phase) - 1,
  sine:
    ({ pitch, phase }) =>
    (t) =>
      Math.sin(turn * (pitch * t + phase)),
  square:
    ({ pitch, phase }) =>
    (t) =>
      fraction(pitch * t + phase) < 0.5 ? 1 : -1,
}

/** Names of the classes, by label. */
export const toneNames: readonly string[] = Object.keys(tones)

/** How tones are made. */
export interface ToneOptions {
  readonly sampleRate: number
  readonly seconds: number
  readonly seed: number | bigint
  /** Standard deviation of what is added to each sample; the tone goes from -1 to 1. */
  readonly noise: number
}

/** Sound number `index` of a label: of any pitch from 200 to 600 Hz, with noise. */
export function toneOf(label: number, index: number, { sampleRate, seconds, seed, noise }: ToneOptions): Float32Array {
  const random = new Generator(deriveSeed(seed, 'tone', index))
  const [height = 0, phase = 0] = random.uniform(2)
  const length = Math.round(sampleRate * seconds)
  const added = random.normal(length)
  const make = tones[toneNames[label] ?? ''] ?? (() => () => 0)
  const tone = make({ seconds, pitch: 200 * 3 ** height, phase, random })
  return peakNormalized(Float32Array.from({ length }, (_, i) => tone(i / sampleRate) + noise * (added[i] ?? 0)))
}
