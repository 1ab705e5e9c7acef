import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodeAudio, readAudio } from '../../../src/data/sources/audio.ts'
import { FormatError, UsageError } from '../../../src/util/errors.ts'

const path = (name: string): string => new URL(`../../fixtures/audio/${name}`, import.meta.url).pathname
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(path(name)))

/** How much of a channel is the tone that make.py wrote: its amplitude, by correlation with both phases, away from the ends. */
function amplitudeAt(samples: Float32Array, frequency: number, sampleRate: number): number {
  const middle = samples.subarray(samples.length / 4, (3 * samples.length) / 4)
  let [cos, sin] = [0, 0]
  for (const [i, value] of middle.entries()) {
    cos += value * Math.cos((2 * Math.PI * frequency * i) / sampleRate)
    sin += value * Math.sin((2 * Math.PI * frequency * i) / sampleRate)
  }
  return (2 * Math.hypot(cos, sin)) / middle.length
}

describe('tones of two channels', () => {
  // make.py's frequencies are for 16000 Hz; as Opus they are heard three times as high. Lossy formats may shift the ends.
  test.each([
    ['tone.flac', 16000, 1, 4000, 1e-3],
    ['tone.mp3', 16000, 1, 4000, 0.03],
    ['vorbis.ogg', 16000, 1, 4000, 0.03],
    ['opus.ogg', 48000, 3, 4000, 0.03],
  ])('%s', async (name, sampleRate, factor, length, tolerance) => {
    const recording = await readAudio(path(name))
    expect(recording.sampleRate).toBe(sampleRate)
    expect(recording.samples.map((channel) => channel.length)).toEqual([length, length])
    const [left = new Float32Array(), right = new Float32Array()] = recording.samples
    expect(Math.abs(amplitudeAt(left, 440 * factor, sampleRate) - 0.5)).toBeLessThan(tolerance)
    expect(Math.abs(amplitudeAt(right, 660 * factor, sampleRate) - 0.25)).toBeLessThan(tolerance)
  })
})

test.each(['mono.mp3', 'mono.ogg'])('one channel: %s', async (name) => {
  expect((await readAudio(path(name))).samples.map(({ length }) => length)).toEqual([4000])
})

test('FLAC keeps every sample', async () => {
  const { samples } = await readAudio(path('tone.flac'))
  const wanted = Array.from({ length: 4000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * 440 * i) / 16000))
  const steps = Array.from(samples[0] ?? [], (value) => value * 2 ** 15)
  expect(steps.every(Number.isInteger)).toBe(true)
  // libsndfile rounds to the nearest of the 2^16 steps, of 1 - 2^-15 being the last.
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value * 2 ** 15 - (steps[i] ?? Number.NaN))))
  expect(worst).toBeLessThanOrEqual(1)
})

test('WAV needs no package', async () => {
  expect((await readAudio(path('wav-pcm_16.wav'))).samples).toHaveLength(2)
})

test.each<[string, Uint8Array]>([
  ['a: must be one of WAV, FLAC, Ogg Vorbis, Ogg Opus, MP3, found an empty file', new Uint8Array()],
  [
    'a: must be one of WAV, FLAC, Ogg Vorbis, Ogg Opus, MP3, found a file that begins with "text"',
    new TextEncoder().encode('text of a file'),
  ],
])('%s', async (message, bytes) => {
  await expect(decodeAudio(bytes, 'a')).rejects.toThrow(new FormatError(message))
})

test.each(['tone.flac', 'tone.mp3', 'vorbis.ogg', 'opus.ogg'])('%s without its sound is damaged', async (name) => {
  await expect(decodeAudio(bytesOf(name).subarray(0, 60), name)).rejects.toThrow(
    /^[a-z.0-9]+: the [A-Za-z0-9 ]+ file is damaged: [^\n]+$/,
  )
})

test('a path without a file', async () => {
  await expect(readAudio('no/such.wav')).rejects.toThrow(new UsageError('no/such.wav: no such file or folder'))
})

// Bytes that changed on the way: sound, or an error in one line that names the file.
test.each(['tone.flac', 'tone.mp3', 'vorbis.ogg', 'opus.ogg', 'wav-pcm_16.wav'])(
  '%s with wrong bytes',
  async (name) => {
    const whole = bytesOf(name)
    const answers = new Set<string>()
    for (let place = 4; place < whole.length; place += Math.ceil(whole.length / 12)) {
      const bytes = whole.slice()
      bytes.fill(255 - (bytes[place] ?? 0), place, place + 3)
      const answer = await decodeAudio(bytes, name).then(
        ({ samples }) => (samples.length > 0 ? 'sound' : 'nothing'),
        (error: unknown) => (error instanceof FormatError && !error.message.includes('\n') ? 'error' : String(error)),
      )
      answers.add(answer)
    }
    expect(['error', 'sound']).toEqual(expect.arrayContaining([...answers]))
  },
)
