import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodePng } from '../../../src/io/png.ts'
import { classifier, denoiser } from '../../../src/systems/diffusion/recipes.ts'
import { build, contextWith, data, folder, leanings, sample, side, train } from './halves.ts'

describe('a denoiser that knows the classes', () => {
  test('learns to draw them, and shows it at evaluations', async () => {
    const experiment = build(denoiser)
    const before = await experiment.evaluate(data)
    expect(before.mse).toBeCloseTo(1, 1)
    await train(experiment, 6)
    const after = await experiment.evaluate(data)
    expect(after.mse).toBeLessThan(0.35)
    expect(await experiment.evaluate(data)).toEqual(after)

    const { samples } = (await experiment.snapshot?.(data)) ?? {}
    expect(samples).toMatchObject({ width: 2 * side + 2, height: 4 * side + 6, channels: 1 })
    const sections = (await experiment.explain?.(data, [])) ?? []
    expect(sections.map(({ title, figures }) => [title, figures.length])).toEqual([
      ['The way to noise', 2],
      ['The way back', 5],
    ])
    const learned = sections[1]?.figures.at(-1)
    const shares = learned?.kind === 'lines' ? (learned.series[0]?.points ?? []) : []
    expect(shares).toHaveLength(23)
    for (const { y } of shares) expect(Number.isFinite(y)).toBe(true)

    const npz = join(folder, 'samples.npz')
    const answers = await sample(experiment, { steps: 12, count: 6, batch_size: 4, npz })
    expect(answers.slice(1)).toEqual([{ file: join(folder, 'samples.png') }, { file: npz }])
    const { width, height } = decodePng(readFileSync(join(folder, 'samples.png')), 'samples.png')
    expect([width, height]).toEqual([2 * side + 2, 3 * side + 4])
    for (const [i, leaning] of leanings(npz).entries()) expect(leaning * (i % 2 === 1 ? 1 : -1)).toBeGreaterThan(60)
    await sample(experiment, { steps: 12, count: 2, class: 'left', sampler: 'ancestral', npz })
    expect(Math.max(...leanings(npz))).toBeLessThan(-60)
  })

  test('what cannot be sampled', async () => {
    const experiment = build(denoiser)
    await expect(sample(experiment, { steps: 60, count: 1, grid: 'same.png', animate: './same.png' })).rejects.toThrow(
      'sample: grid and animate must name two files, found "./same.png" for both',
    )
    const own = join(folder, 'own.png')
    writeFileSync(own, 'the original')
    await expect(sample(experiment, { count: 1, edit: own, from_class: 'left', grid: own })).rejects.toThrow(
      `${own} is an input, and would be overwritten`,
    )
    await expect(sample(experiment, { steps: 60, count: 1, npz: 'x.foo' })).rejects.toThrow(
      'sample: npz must name a .npz file, found "x.foo"',
    )
    await expect(sample(experiment, { steps: 60, count: 1, npz: '/nonesuch/x.npz' })).rejects.toThrow('/nonesuch/x.npz')
    await expect(sample(experiment, { class: 'up' })).rejects.toThrow('sample: there is no class "up"')
    await expect(sample(experiment, { steps: 61 })).rejects.toThrow(
      'sample: steps must be from 2 to 60, as many as were trained, found 61',
    )
    await expect(sample(build(denoiser, { 'model.class_cond': false }), { class: 'left' })).rejects.toThrow(
      'sample: this denoiser knows no classes, so a class needs a classifier that guides',
    )
    await expect(sample(experiment, { guidance: 2 })).rejects.toThrow(
      'sample: guidance needs a classifier, found 2 without one',
    )
    await expect(sample(experiment, { sampler: 'ancestral', eta: 0.5 })).rejects.toThrow(
      'sample: eta is for the sampler ddim, found 0.5 for ancestral',
    )
    const other = build(classifier, { 'diffusion.diffusion_steps': 50 })
    await expect(sample(experiment, { classifier: 'other' }, contextWith({ other }))).rejects.toThrow(
      'sample: denoiser and classifier must have the same diffusion steps, found 60 and 50',
    )
    expect(() => build(denoiser, { 'model.channel_mult': [1, 1, 1, 1, 1] })).toThrow(
      'height and width of the pictures must be multiples of 16 for the 5 levels of model.channel_mult, found 8 x 8',
    )
    expect(() => build(denoiser, { 'diffusion.use_kl': true })).toThrow(
      'train.monitor must be loss with diffusion.use_kl, whose loss has no mse',
    )
  })
})

test('a classifier of noisy pictures guides a denoiser that knows no classes', async () => {
  const [guide, free] = [build(classifier), build(denoiser, { 'model.class_cond': false })]
  await train(guide, 2)
  await train(free, 5)
  const { accuracy = 0, accuracy_q0 = 0, accuracy_q3 = 1 } = await guide.evaluate(data)
  expect(accuracy_q0).toBeGreaterThan(0.95)
  expect(accuracy_q0).toBeGreaterThanOrEqual(accuracy)
  expect(accuracy_q3).toBeLessThan(accuracy_q0)
  const npz = join(folder, 'guided.npz')
  const options = { steps: 12, count: 6, classifier: 'guide', guidance: 4, class: 'right', npz }
  await sample(free, options, contextWith({ guide }))
  expect(leanings(npz).filter((leaning) => leaning > 40).length).toBeGreaterThanOrEqual(5)
})
