import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readNpz } from '../../../src/io/npz.ts'
import { decodePng, encodePng } from '../../../src/io/png.ts'
import { classifier, denoiser, upsampler } from '../../../src/systems/diffusion/recipes.ts'
import { slerp } from '../../../src/systems/diffusion/sample/starts.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { build, contextWith, data, facts, folder, leanings, sample, side, train } from './halves.ts'

const path = (name: string): string => join(folder, name)

/** A picture that is bright on the left, as a file. */
function writeHalf(name: string, left: number, right: number): string {
  const pixels = Uint8Array.from({ length: side ** 2 }, (_, i) => (i % side < side / 2 ? left : right))
  writeFileSync(path(name), encodePng(pixels, side, side, 1))
  return path(name)
}

const bytesOf = (name: string): number[] =>
  toNumbers(readNpz(readFileSync(path(name))).tensors.get('arr_0')?.data ?? new Uint8Array(0))

describe('sample', () => {
  // It has learned nothing and says that there is no noise: what is given to it comes back.
  const experiment = build(denoiser)

  test('an edit draws the picture again, and as another class', async () => {
    const edit = writeHalf('left.png', 220, 30)
    const npz = path('edit.npz')
    await sample(experiment, { edit, from_class: 'left', steps: 12, npz })
    expect(leanings(npz)).toHaveLength(2)
    for (const leaning of leanings(npz)) expect(Math.abs(leaning + 190)).toBeLessThan(10) // 220 and 30
    const { width } = decodePng(readFileSync(path('samples.png')), 'samples.png')
    expect(width).toBe(2 * side + 2) // the picture itself in front of both
    await expect(sample(experiment, { edit })).rejects.toThrow('sample: edit needs the class of the picture')
    await expect(sample(experiment, { edit, from_class: 'left', sampler: 'ancestral' })).rejects.toThrow(
      'sample: edit needs ddim without noise of its own (eta 0), found ancestral',
    )
    const judge = build(classifier)
    const said = await sample(experiment, { edit, classifier: 'judge', steps: 6 }, contextWith({ judge }))
    expect(said).toHaveLength(2)
  })

  test('what a mask keeps stays as it is, the rest is drawn', async () => {
    const inpaint = writeHalf('whole.png', 220, 30)
    const mask = writeHalf('mask.png', 0, 255)
    await sample(experiment, { inpaint, mask, class: 'left', count: 3, steps: 12, npz: path('inpaint.npz') })
    for (const [i, value] of bytesOf('inpaint.npz').entries())
      if (i % side < side / 2) expect(Math.abs(value - 220)).toBeLessThan(2)
    expect(new Set(bytesOf('inpaint.npz')).size).toBeGreaterThan(3)
    await expect(sample(experiment, { inpaint })).rejects.toThrow(
      'sample: inpaint and mask go together, found only inpaint',
    )
    const black = writeHalf('black.png', 0, 0)
    await expect(sample(experiment, { inpaint, mask: black })).rejects.toThrow(
      'black.png: a mask must be white where the picture is to be drawn, found nothing white',
    )
  })

  test('a walk begins and ends with pictures of their own noise; a film of it has a frame for each step', async () => {
    const options = { interpolate: true, columns: 4, count: 4, class: 'left', steps: 6, batch_size: 3 }
    await sample(experiment, { ...options, npz: path('walk.npz'), animate: path('walk.png') })
    await sample(experiment, { class: 'left', count: 2, steps: 6, sampler: 'ddim', npz: path('ends.npz') })
    const [walk, ends] = [bytesOf('walk.npz'), bytesOf('ends.npz')]
    const size = side ** 2
    for (let i = 0; i < size; i++) {
      expect(Math.abs((walk[i] ?? 0) - (ends[i] ?? 0))).toBeLessThan(2)
      expect(Math.abs((walk[3 * size + i] ?? 0) - (ends[size + i] ?? 0))).toBeLessThan(2)
    }
    const frames = readFileSync(path('walk.png')).toString('latin1').split('fcTL').length - 1
    expect(frames).toBe(7)
    await expect(sample(experiment, { animate: path('walk.gif') })).rejects.toThrow(
      `sample: animate must name a .png or .mp4 file, found "${path('walk.gif')}"`,
    )
    for (const short of ['columns', 'count'])
      await expect(sample(experiment, { interpolate: true, [short]: 1 })).rejects.toThrow(
        `sample: interpolate needs a row from one noise to another, found ${short} 1`,
      )
    await expect(sample(experiment, { interpolate: true, inpaint: 'a', mask: 'b' })).rejects.toThrow(
      'sample: only one of edit, inpaint and interpolate, found inpaint,interpolate',
    )
  })

  test('an upsampler makes them larger', async () => {
    const small = { ...facts, image_size: [side / 2, side / 2] }
    const tiny = { 'model.channel_mult': [1], 'model.attention_resolutions': [1] }
    const base = build(denoiser, tiny, small)
    const large = build(upsampler)
    await train(large, 2)
    expect((await large.evaluate(data)).mse).toBeLessThan(0.7)
    expect(Object.keys(large.exports.upsampler?.().inputs ?? {})).toEqual(['x', 'timesteps', 'low_res', 'y'])
    const before = (await large.snapshot?.(data))?.upsampled
    expect(before).toMatchObject({ width: 10 * side + 18, height: 3 * side + 4 })
    const options = { upsample: 'large', count: 4, steps: 8, npz: path('large.npz') }
    await sample(base, options, contextWith({ large }))
    expect(bytesOf('large.npz')).toHaveLength(4 * side ** 2)
    await expect(sample(experiment, options, contextWith({ large }))).rejects.toThrow(
      'sample: denoiser and upsampler must have the same sizes of small pictures, found 8 x 8 and 4 x 4',
    )
    expect(() => build(upsampler, { 'model.factor': 3 })).toThrow(
      'height and width of the pictures must be multiples of model.factor 3, found 8 x 8',
    )
  })
})

test('between two noises along the arc', () => {
  const [a, b] = [Float32Array.of(1, 0), Float32Array.of(0, 2)]
  expect([...slerp(a, b, 0)]).toEqual([1, 0])
  expect(slerp(a, b, 1)[1]).toBeCloseTo(2, 6)
  expect(slerp(a, b, 0.5)[0]).toBeCloseTo(Math.SQRT1_2, 6)
})
