import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseWav } from '../../src/io/wav.ts'
import { FormatError } from '../../src/util/errors.ts'

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/audio/${name}.wav`, import.meta.url)))

/** What test/fixtures/audio/make.py wrote. */
const tones = [
  { amplitude: 0.5, frequency: 440 },
  { amplitude: 0.25, frequency: 660 },
].map(({ amplitude, frequency }) =>
  Array.from({ length: 20 }, (_, i) => amplitude * Math.sin((2 * Math.PI * frequency * i) / 16000)),
)

describe.each(['wav', 'wavex'])('%s', (kind) => {
  test.each([
    ['pcm_u8', 1 / 128],
    ['pcm_16', 1 / 2 ** 15],
    ['pcm_24', 1 / 2 ** 23],
    ['pcm_32', 1e-7],
    ['float', 1e-7],
    ['double', 1e-7],
  ])('%s', (encoding, tolerance) => {
    const { samples, sampleRate } = parseWav(fixture(`${kind}-${encoding}`))
    expect(sampleRate).toBe(16000)
    expect(samples.map(({ length }) => length)).toEqual([20, 20])
    for (const [channel, tone] of tones.entries())
      for (const [i, value] of tone.entries())
        expect(Math.abs((samples[channel]?.[i] ?? Number.NaN) - value)).toBeLessThanOrEqual(tolerance)
  })
})

/** A mono file of 16 bits with these bytes changed. */
function changed(change: (view: DataView, bytes: Uint8Array) => unknown): Uint8Array {
  const bytes = Uint8Array.from(fixture('wav-pcm_16'))
  change(new DataView(bytes.buffer), bytes)
  return bytes
}

const plain = fixture('wav-pcm_16')

test('the ends of the range, and chunks that are passed over', () => {
  const junk = new Uint8Array([...new TextEncoder().encode('LIST'), 3, 0, 0, 0, 1, 2, 3, 0])
  const bytes = changed((view) => {
    view.setInt16(44, -32768, true)
    view.setInt16(46, 32767, true)
  })
  const longer = new Uint8Array([...bytes.subarray(0, 12), ...junk, ...bytes.subarray(12)])
  const { samples } = parseWav(longer)
  expect(samples.map(([first]) => first)).toEqual([-1, 32767 / 32768])
})

test('a size that was never put in: the sound reaches to the end', () => {
  const { samples } = parseWav(changed((view) => view.setUint32(40, 0xffffffff, true)))
  expect(samples[0]).toHaveLength(20)
})

test.each<[string, Uint8Array]>([
  ['a.wav: a WAV file must begin with RIFF, its size and WAVE', new Uint8Array(4)],
  ['a.wav: a WAV file must begin with RIFF, its size and WAVE', changed((_, bytes) => bytes.fill(0, 8, 12))],
  ['a.wav: the WAV file is cut off: its data chunk has 20 of 80 bytes', plain.subarray(0, 64)],
  ['a.wav: the WAV file is cut off: its fmt chunk has 4 of 16 bytes', plain.subarray(0, 24)],
  ['a.wav: the WAV file has no data chunk', plain.subarray(0, 36)],
  [
    'a.wav: a WAV file must have its fmt chunk before the data',
    new Uint8Array([...plain.subarray(0, 12), ...plain.subarray(36)]),
  ],
  [
    'a.wav: the fmt chunk of a WAV file must have at least 16 bytes, found 14',
    changed((view) => view.setUint32(16, 14, true)),
  ],
  [
    'a.wav: a WAV file must be PCM of 8 bits, PCM of 16 bits, PCM of 24 bits, PCM of 32 bits, float32, float64, found format 85 of 16 bits',
    changed((view) => view.setUint16(20, 85, true)),
  ],
  [
    'a.wav: the fmt chunk of a WAV file contradicts itself: 0 channels at 16000 Hz in 4 bytes a sample of 16 bits',
    changed((view) => view.setUint16(22, 0, true)),
  ],
])('%s', (message, bytes) => {
  expect(() => parseWav(bytes, 'a.wav')).toThrow(new FormatError(message))
})
