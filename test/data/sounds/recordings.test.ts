import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { evaluate } from '../../../src/compile/program.ts'
import { pieceOf, readWaveform, windowStart } from '../../../src/data/sounds/recordings.ts'
import { resampleWaveform } from '../../../src/data/sounds/resample.ts'
import { drumOf } from '../../../src/data/sounds/sets.ts'
import { toneNames, toneOf } from '../../../src/data/sounds/tones.ts'
import * as ops from '../../../src/ops/index.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { constant } from '../../../src/tensor/tensor.ts'
import { told } from '../support.ts'

const fixture = (name: string): string => new URL(`../../fixtures/audio/${name}`, import.meta.url).pathname
const form = { sampleRate: 8000, normalize: true }

test.each([
  [44_100, 8000],
  [8000, 11_025],
  [3, 2],
  [16_000, 16_000],
])('resampled from %d to %d Hz as the op does', async (from, to) => {
  const wave = Float32Array.from({ length: 700 }, (_, i) => Math.sin(i / 9) + (i % 7) / 10)
  const [wanted] = await evaluate([ops.resample(constant(wave, [700], 'float32'), from, to)])
  const found = resampleWaveform(wave, from, to)
  const numbers = toNumbers(wanted?.data ?? new Float32Array())
  expect(found).toHaveLength(numbers.length)
  const difference = Math.max(...numbers.map((value, i) => Math.abs(value - (found[i] ?? 0))))
  expect(difference).toBeLessThan(1e-5)
})

test.each(['tone.flac', 'vorbis.ogg', 'tone.mp3', 'wav-pcm_16.wav'])(
  '%s becomes a waveform whose loudest sample is 1',
  async (name) => {
    const path = fixture(name)
    const wave = await readWaveform(await readFile(path), path, form)
    expect(Math.max(...wave.map(Math.abs))).toBeCloseTo(1)
  },
)

test('a rate that only a damaged header names costs neither time nor memory', () => {
  const found = resampleWaveform(new Float32Array(5000).fill(1), 4_294_967_295, 8000)
  expect(found).toHaveLength(1)
  expect(found[0]).toBeGreaterThan(0)
})

test('what is no recording, or has samples that are no numbers, gets one line', async () => {
  expect(await told(() => readWaveform(new TextEncoder().encode('RIFX'), 'a.wav', form))).toMatch(
    /^FormatError: a\.wav: must be one of WAV, FLAC, .*, found a file that begins with "RIFX"$/,
  )
})

test('pieces and windows', () => {
  const wave = Float32Array.of(1, 2, 3, 4, 5)
  expect([...pieceOf(wave, 3, 4)]).toEqual([4, 5, 0, 0])
  expect([0, 1, 2].map((window) => windowStart(20, 10, window, 3))).toEqual([0, 5, 10])
  expect([windowStart(20, 10, 0, 1), windowStart(5, 10, 0, 1), windowStart(5, 10, 1, 2)]).toEqual([5, 0, 0])
})

test('tones are different and follow from the seed', () => {
  const options = { sampleRate: 4000, seconds: 0.1, seed: 1, noise: 0 }
  const tones = toneNames.map((_, label) => toneOf(label, 3, options))
  expect(new Set(tones.map((tone) => tone.join())).size).toBe(toneNames.length)
  expect(toneOf(0, 3, options)).toEqual(tones[0])
  expect(tones.every((tone) => tone.length === 400)).toBe(true)
})

test('drums by what their file is called', () => {
  const names = [
    'Kit/EE_Snare_1.flac',
    'Kit/SnareOffRim-1.wav',
    'Kit/Hard_CHH_01.flac',
    'Kit/beats_01-33.flac',
    'Hat kit/x.wav',
  ]
  expect(names.map(drumOf)).toEqual(['snare', 'rim', 'hi-hat', undefined, undefined])
})
