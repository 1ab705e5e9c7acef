/**
 * The demo song: our own words, made of names of drawings as the original video's were made of class labels, and our own melody, computed here:
 * a voice of four harmonics, chords, a bass, and a drum.
 */
import type { Recording } from '../../../io/wav.ts'
import { Generator } from '../../../util/random.ts'

/** Beats a minute; a line of words lasts two bars of four beats. */
const tempo = 100
const beat = 60 / tempo
const lineBeats = 8
/** Beats before the first line, and after the last. */
const introBeats = 8
const outroBeats = 8

/** Each line with its melody: half tones above middle C and lengths in beats. */
const verses: readonly (readonly [words: string, melody: readonly (readonly [note: number, beats: number])[]])[] = [
  [
    'a fox and a red apple',
    [
      [0, 1],
      [4, 1],
      [7, 1],
      [9, 1],
      [7, 2],
      [4, 2],
    ],
  ],
  [
    'an owl, a crescent moon',
    [
      [9, 1],
      [7, 1],
      [9, 1],
      [12, 1],
      [9, 4],
    ],
  ],
  [
    'a tulip and a butterfly',
    [
      [5, 1],
      [9, 1],
      [12, 1],
      [9, 1],
      [7, 2],
      [5, 2],
    ],
  ],
  [
    'a tropical fish in blue',
    [
      [2, 1],
      [5, 1],
      [7, 1],
      [11, 1],
      [7, 4],
    ],
  ],
  [
    'a sailboat and a rainbow',
    [
      [0, 1],
      [4, 1],
      [7, 1],
      [12, 1],
      [11, 2],
      [7, 2],
    ],
  ],
  [
    'a house under the sun',
    [
      [9, 1],
      [12, 1],
      [14, 1],
      [12, 1],
      [9, 4],
    ],
  ],
  [
    'a guitar and a red heart',
    [
      [14, 1],
      [12, 1],
      [9, 1],
      [5, 1],
      [7, 2],
      [9, 2],
    ],
  ],
  [
    'a smiling face, a star',
    [
      [7, 1],
      [11, 1],
      [14, 1],
      [11, 1],
      [12, 4],
    ],
  ],
]

/** Chords of a line, half tones above C, four beats each. */
const chords: readonly (readonly (readonly number[])[])[] = [
  [
    [0, 4, 7],
    [9, 12, 16],
  ],
  [
    [5, 9, 12],
    [7, 11, 14],
  ],
]

/** Seconds. */
export const songSeconds = (introBeats + verses.length * lineBeats + outroBeats) * beat

/** The words as LRC: `[mm:ss.xx] words`. */
export function songLyrics(): string {
  return verses
    .map(([words], i) => {
      const time = (introBeats + i * lineBeats) * beat
      const seconds = (time % 60).toFixed(2).padStart(5, '0')
      return `[${String(Math.floor(time / 60)).padStart(2, '0')}:${seconds}] ${words}\n`
    })
    .join('')
}

const frequency = (halfTones: number): number => 261.6256 * 2 ** (halfTones / 12)

interface Tone {
  readonly start: number
  readonly seconds: number
  readonly hertz: number
  readonly volume: number
  /** Volumes of the harmonics. */
  readonly harmonics: readonly number[]
  /** Seconds in which it swells, and in which it fades. */
  readonly attack: number
  readonly release: number
  readonly vibrato?: number
}

function addTone(out: Float32Array, rate: number, tone: Tone): void {
  const { start, seconds, hertz, volume, harmonics, attack, release, vibrato = 0 } = tone
  const first = Math.round(start * rate)
  const length = Math.round((seconds + release) * rate)
  for (let i = 0; i < length && first + i < out.length; i++) {
    const t = i / rate
    const swell = Math.min(1, t / attack)
    const fade = t < seconds ? 1 : Math.max(0, 1 - (t - seconds) / release)
    const phase = 2 * Math.PI * hertz * t + (vibrato / 5) * Math.sin(2 * Math.PI * 5 * t)
    let value = 0
    for (const [n, loudness] of harmonics.entries()) value += loudness * Math.sin((n + 1) * phase)
    out[first + i] = (out[first + i] ?? 0) + volume * swell * fade * value
  }
}

/** A falling tone on the beat, noise between. */
function addDrums(out: Float32Array, rate: number): void {
  const random = new Generator(1)
  for (let b = 0; b * beat < songSeconds - beat; b += 0.5) {
    const first = Math.round(b * beat * rate)
    const isDrum = b % 2 === 0
    const length = Math.round((isDrum ? 0.18 : 0.05) * rate)
    const noise = random.uniform(length)
    for (let i = 0; i < length && first + i < out.length; i++) {
      const t = i / rate
      const hit = isDrum
        ? 0.35 * Math.exp(-t * 22) * Math.sin(2 * Math.PI * (50 * t + 4 * (1 - Math.exp(-t * 30))))
        : 0.05 * Math.exp(-t * 80) * (2 * (noise[i] ?? 0) - 1)
      out[first + i] = (out[first + i] ?? 0) + hit
    }
  }
}

function addChords(out: Float32Array, rate: number): void {
  const bars = Math.floor(songSeconds / beat / 4)
  for (let bar = 0; bar < bars; bar++) {
    const chord = chords[Math.floor(bar / 2) % 2]?.[bar % 2] ?? []
    const common = { start: bar * 4 * beat, attack: 0.08, release: 0.3 }
    for (const note of chord) {
      const hertz = frequency(note - 12)
      addTone(out, rate, { ...common, seconds: 3.7 * beat, hertz, volume: 0.06, harmonics: [1, 0.4, 0.15] })
    }
    for (const at of [0, 1.5, 2.5]) {
      const start = (bar * 4 + at) * beat
      const hertz = frequency((chord[0] ?? 0) - 24)
      addTone(out, rate, {
        start,
        seconds: 0.8 * beat,
        hertz,
        volume: 0.16,
        harmonics: [1, 0.3],
        attack: 0.01,
        release: 0.1,
      })
    }
  }
}

function addMelody(out: Float32Array, rate: number): void {
  for (const [i, [, melody]] of verses.entries()) {
    let at = (introBeats + i * lineBeats) * beat
    for (const [note, beats] of melody) {
      const common = {
        hertz: frequency(note),
        harmonics: [1, 0.5, 0.25, 0.12],
        attack: 0.03,
        release: 0.15,
        vibrato: 0.03,
      }
      addTone(out, rate, { start: at, seconds: beats * beat * 0.9, volume: 0.15, ...common })
      at += beats * beat
    }
  }
}

/** The song, one channel; the same numbers each time. */
export function synthesiseSong(sampleRate = 44_100): Recording {
  const out = new Float32Array(Math.round(songSeconds * sampleRate))
  addChords(out, sampleRate)
  addMelody(out, sampleRate)
  addDrums(out, sampleRate)
  const fade = sampleRate * 2
  for (let i = 0; i < fade; i++) {
    const at = out.length - 1 - i
    out[at] = ((out[at] ?? 0) * i) / fade
  }
  return { samples: [out], sampleRate }
}
