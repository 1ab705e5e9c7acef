import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import { framesOf, overlapAdd } from '../../../src/ops/signal/frames.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { type Tensor, tensor } from '../../../src/tensor/tensor.ts'
import { RandomStream } from '../../../src/util/random.ts'

const signal = (batch: number, length: number): Tensor =>
  tensor({ dtype: 'float32', shape: [batch, length], data: new RandomStream(3).normal(0, 0, batch * length) })

async function numbersOf(call: () => Tensor): Promise<number[]> {
  const run = compile(call)
  const { array } = await run()
  await run.release()
  return toNumbers(array.data)
}

describe('perfect reconstruction', () => {
  test.each<[string, number, ops.StftOptions]>([
    ['a Hann window of half overlap', 64, { hopLength: 32, window: ops.hannWindow(64) }],
    ['a hop that divides nothing', 100, { hopLength: 23, window: ops.hammingWindow(100) }],
    ['a short window', 64, { hopLength: 10, winLength: 40, window: ops.blackmanWindow(40) }],
    ['no window, whole spectra', 36, { hopLength: 9, onesided: false, normalized: true }],
    ['a long frame of two factors', 400, { hopLength: 160, window: ops.hannWindow(400) }],
  ])('%s', async (_name, nFft, { padMode: _padMode, ...options }) => {
    const x = signal(2, 700)
    const back = await numbersOf(() => ops.istft(ops.stft(x, nFft, options), nFft, { ...options, length: 700 }))
    const worst = Math.max(...toNumbers(x.array.data).map((value, i) => Math.abs(value - (back[i] ?? Number.NaN))))
    expect(worst).toBeLessThan(1e-5)
  })
})

test.each([
  [8, 3],
  [8, 4],
  [4, 7],
  [5, 1],
])('frames of %i samples, every %i: their elements, and the sum that is their transpose', async (size, hop) => {
  const length = 31
  const count = Math.floor((length - size) / hop) + 1
  const x = signal(1, length)
  const numbers = toNumbers(x.array.data)
  const frames = await numbersOf(() => framesOf(x, size, hop))
  const wanted = Array.from({ length: size * count }, (_, i) => numbers[Math.floor(i / count) + hop * (i % count)])
  expect(frames).toEqual(wanted)
  const sums = await numbersOf(() => overlapAdd(ops.ones([1, size, count]), hop))
  const counts = new Array<number>(size + hop * (count - 1)).fill(0)
  for (let i = 0; i < size * count; i++) {
    const at = Math.floor(i / count) + hop * (i % count)
    counts[at] = (counts[at] ?? 0) + 1
  }
  expect(sums).toEqual(counts)
})

test('batches of any number of axes, empty ones too', () => {
  const shapesOf = (shape: number[]): (readonly number[])[] => {
    const spectrum = ops.stft(ops.zeros(shape), 8, { hopLength: 4 })
    return [spectrum.real.shape, spectrum.imag.shape, ops.istft(spectrum, 8, { hopLength: 4, length: 20 }).shape]
  }
  expect(shapesOf([20])).toEqual([[5, 6], [5, 6], [20]])
  expect(shapesOf([2, 3, 20])).toEqual([
    [2, 3, 5, 6],
    [2, 3, 5, 6],
    [2, 3, 20],
  ])
})

test('an envelope with a 0 is an error with a hint', () => {
  const spectrum = ops.stft(ops.ones([1, 40]), 8, { hopLength: 8, window: ops.hannWindow(8), center: false })
  expect(() => ops.istft(spectrum, 8, { hopLength: 8, window: ops.hannWindow(8), center: false })).toThrow(
    'istft: the squared windows must not add up to 0, found 0 at sample 0 of 40',
  )
})
