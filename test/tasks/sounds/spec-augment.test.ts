import { expect, test } from 'vitest'
import type { z } from 'zod'
import { compile } from '../../../src/compile/compile.ts'
import {
  checkSpecAugment,
  isAugmented,
  specAugment,
  specAugmentSettings,
} from '../../../src/tasks/sounds/spec-augment.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { told } from '../../data/support.ts'

const [batch, mels, frames] = [64, 6, 20]

/** Changed spectrograms of which frame t is t + 1 in all pitches: [batch][mels][frames]. */
async function changed(settings: z.input<ReturnType<typeof specAugmentSettings>>) {
  manualSeed(1)
  const options = specAugmentSettings().parse(settings)
  const run = compile((levels: Tensor) => specAugment(levels, options))
  const data = Float32Array.from({ length: batch * mels * frames }, (_, i) => 1 + (i % frames))
  const values = await (await run(constant(data, [batch, mels, frames], 'float32'))).numbers()
  await run.release()
  const line = (i: number): number[] => values.slice(i * frames, (i + 1) * frames)
  return Array.from({ length: batch }, (_, b) => Array.from({ length: mels }, (_, m) => line(b * mels + m)))
}

/** Lengths of the runs of zeros. */
function blanks(values: readonly number[]): number[] {
  return values
    .map((value) => (value === 0 ? 'x' : ' '))
    .join('')
    .split(' ')
    .flatMap((run) => (run ? [run.length] : []))
}

test('bands of pitch: one stretch of at most its width, the same at all times, others at all places', async () => {
  const spectrograms = await changed({ frequency_masks: 1, frequency_width: 3 })
  const found = spectrograms.map((each) => blanks(each.map((line) => line[7] ?? 0)))
  expect(found.every((runs) => runs.length <= 1 && (runs[0] ?? 0) <= 3)).toBe(true)
  expect(new Set(found.map(([run = 0]) => run))).toEqual(new Set([0, 1, 2, 3]))
  for (const each of spectrograms) for (const line of each) expect(blanks(line)).toEqual(line[0] === 0 ? [frames] : [])
})

test('stretches of time: as many as wanted, the same in all pitches', async () => {
  const spectrograms = await changed({ time_masks: 2, time_width: 4 })
  const found = spectrograms.map(([first = []]) => blanks(first))
  expect(Math.max(...found.map((runs) => runs.length))).toBe(2)
  expect(Math.max(...found.map((runs) => runs.reduce((a, b) => a + b, 0)))).toBeLessThanOrEqual(8)
  for (const each of spectrograms) for (const line of each) expect(line).toEqual(each[0])
})

test('time is warped: ends stay, order stays, the middle moves by at most as much', async () => {
  const moved = (await changed({ time_warp: 5 })).map(([first = []]) => first)
  for (const line of moved) {
    expect(line[0]).toBeCloseTo(1, 4)
    expect(line.at(-1)).toBeCloseTo(frames, 4)
    for (const [t, value] of line.entries()) {
      expect(value).toBeGreaterThanOrEqual((line[t - 1] ?? 1) - 1e-4)
      expect(Math.abs(value - (t + 1))).toBeLessThan(5.001)
    }
  }
  const most = Math.max(...moved.map((line) => Math.max(...line.map((value, t) => Math.abs(value - t - 1)))))
  expect(most).toBeGreaterThan(2)
})

test('nothing is changed by default; what is too large is refused', async () => {
  const settings = specAugmentSettings().parse({})
  expect(isAugmented(settings)).toBe(false)
  expect(() => checkSpecAugment(settings, 4, 3)).not.toThrow()
  expect(await told(async () => checkSpecAugment({ ...settings, time_warp: 3 }, 32, 7))).toBe(
    'UsageError: augment.time_warp must be at most 2 for spectrograms of 32 pitches and 7 frames, found 3',
  )
  expect(await told(async () => checkSpecAugment({ ...settings, frequency_masks: 1 }, 4, 7))).toBe(
    'UsageError: augment.frequency_width must be at most 4 for spectrograms of 4 pitches and 7 frames, found 8',
  )
})
