import { expect, test } from 'vitest'
import { encodeWav, parseWav } from '../../../../src/io/wav.ts'
import { readLyrics } from '../../../../src/systems/clip-video/video/lyrics.ts'
import { songLyrics, songSeconds, synthesiseSong } from '../../../../src/systems/clip-video/video/song.ts'

test('the demo song has sound in all of its lines, and its lyrics are LRC', () => {
  const { samples, sampleRate } = synthesiseSong(4000)
  const [sound = new Float32Array()] = samples
  expect(sound.length).toBe(Math.round(songSeconds * 4000))
  expect(sound.every((value) => Number.isFinite(value) && Math.abs(value) <= 1)).toBe(true)
  const lines = readLyrics(songLyrics())
  expect(lines.length).toBe(8)
  for (const { time } of lines) {
    const part = sound.subarray(Math.round(time * sampleRate), Math.round((time + 4) * sampleRate))
    expect(Math.sqrt(part.reduce((sum, value) => sum + value ** 2, 0) / part.length)).toBeGreaterThan(0.05)
  }
})

test('a WAV file is read as it was written', () => {
  const samples = [Float32Array.of(0, 0.5, -1, 2), Float32Array.of(1, 0, 0, 0)]
  const read = parseWav(encodeWav({ samples, sampleRate: 8000 }))
  expect(read.sampleRate).toBe(8000)
  expect(Array.from(read.samples[0] ?? [], (value) => Number(value.toFixed(3)))).toEqual([0, 0.5, -1, 1])
  expect(Array.from(read.samples[1] ?? [], (value) => Number(value.toFixed(3)))).toEqual([1, 0, 0, 0])
})
