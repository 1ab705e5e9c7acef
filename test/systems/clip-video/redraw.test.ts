/** What the mini BigGAN learns by when it redraws: noise that means an artist, likeness, and codes to begin with. */
import { expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { arrayDataset } from '../../../src/data/dataset.ts'
import { adversarialExperiment } from '../../../src/systems/clip-video/biggan/adversarial.ts'
import type { ClassFacts, OpenedClasses } from '../../../src/systems/clip-video/biggan/classes.ts'
import { halfSize, principalCodes } from '../../../src/systems/clip-video/biggan/codes.ts'
import { artistNoise, checkRedraw, likenessLoss } from '../../../src/systems/clip-video/biggan/redraw.ts'
import { classesToShow } from '../../../src/systems/clip-video/biggan/samples.ts'
import { biggan as recipe } from '../../../src/systems/clip-video/recipes.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { configFrom } from '../../../src/train/settings.ts'

test('noise means the artist whose number is the largest of the first; the numbers stay the same ones', async () => {
  const run = compile((noise: Tensor, style: Tensor) => artistNoise(noise, style, 2))
  const noise = { dtype: 'float32' as const, shape: [3, 3], data: Float32Array.from([1, 2, 5, 1, 2, 5, 3, -1, 0]) }
  const found = await run(noise, { dtype: 'int32', shape: [3], data: Int32Array.from([0, 1, 0]) })
  expect(await found.numbers()).toEqual([2, 1, 5, 1, 2, 5, 3, -1, 0])
})

test('likeness is 0 for the same picture, and counts coarse differences at all sizes', async () => {
  const run = compile((a: Tensor, b: Tensor) => likenessLoss(a, b))
  const picture = (value: (x: number) => number) => ({
    dtype: 'float32' as const,
    shape: [1, 3, 8, 8],
    data: Float32Array.from({ length: 192 }, (_, i) => value(i % 8)),
  })
  const plain = picture(() => 0)
  expect(await (await run(plain, plain)).item()).toBe(0)
  expect(
    await (
      await run(
        picture(() => 0.6),
        plain,
      )
    ).item(),
  ).toBeCloseTo(0.6, 5)
  // Stripes of one pixel vanish at half the size.
  expect(
    await (
      await run(
        picture((x) => (x % 2 === 0 ? 0.6 : -0.6)),
        plain,
      )
    ).item(),
  ).toBeCloseTo(0.2, 5)
})

test('codes: what is alike is near, a mean square of 1; too few pictures have none', () => {
  const rows = [
    [0, 0, 1, 1],
    [0, 0.1, 1, 1],
    [1, 1, 0, 0],
    [1, 0.9, 0, 0],
  ]
  const codes = principalCodes(Float32Array.from(rows.flat()), 4, 2) ?? new Float32Array()
  const first = [0, 1, 2, 3].map((i) => codes[2 * i] ?? 0)
  expect(Math.sign(first[0] ?? 0)).toBe(Math.sign(first[1] ?? 0))
  expect(Math.sign(first[0] ?? 0)).toBe(-Math.sign(first[2] ?? 0))
  expect(codes.reduce((sum, value) => sum + value * value, 0) / codes.length).toBeCloseTo(1, 5)
  expect(principalCodes(Float32Array.from(rows.flat()), 4, 4)).toBe(undefined)
  expect(
    Array.from(
      halfSize(
        Uint8Array.from({ length: 12 }, () => 255),
        2,
      ),
    ),
  ).toEqual([1, 1, 1])
})

test('what cannot be learned is refused in one line', () => {
  expect(() => checkRedraw({ redraw: 0, adversarial: 0 }, { by: 'thing' })).toThrow(
    'setting "optimizer": redraw or adversarial must be above 0, found both 0',
  )
  expect(() => checkRedraw({ redraw: 1, adversarial: 0 }, { by: 'kind' })).toThrow(
    'setting "optimizer.redraw" must be 0 where data.by is kind: which drawing of a kind is meant, no noise says',
  )
  checkRedraw({ redraw: 0, adversarial: 1 }, { by: 'kind' })
})

test('a sheet shows all of few classes, and some of many from the first to the last', () => {
  expect(classesToShow(3)).toEqual([0, 1, 2])
  expect(classesToShow(100, 4)).toEqual([12, 37, 62, 87])
})

test('redrawing makes pictures more like their drawings, without a discriminator', async () => {
  const [side, count] = [32, 4]
  const bytes = 3 * side * side
  const data = arrayDataset({
    image: {
      dtype: 'uint8',
      shape: [count, 3, side, side],
      data: Uint8Array.from({ length: count * bytes }, (_, i) => (Math.floor(i / bytes) < 2 ? 250 : 20)),
    },
    label: { dtype: 'int32', shape: [count], data: Int32Array.from([0, 0, 1, 1]) },
    style: { dtype: 'int32', shape: [count], data: Int32Array.from([0, 1, 0, 1]) },
  })
  const sets = {
    'model.z_dim': 4,
    'model.channel_width': 3,
    'model.D_ch': 4,
    'model.n_stats': 2,
    'optimizer.standing_batches': 1,
    'train.batch_size': 4,
    'train.passes': 30,
  }
  const config = configFrom(
    recipe.config,
    Object.entries(sets).map(([path, value]) => ({ path, value })),
  )
  const facts: ClassFacts = {
    labels: ['light', 'dark'],
    size: side,
    styles: ['openmoji', 'twemoji'],
    kinds: ['heart'],
    by: 'thing',
  }
  const experiment = adversarialExperiment(config as never, facts, { seed: 0, threads: 1 })
  const { task } = experiment.prepare({ train: data, test: data } as unknown as OpenedClasses)
  const unlike: number[] = []
  for await (const batch of task.loader) {
    const scalars = await task.step(batch)
    expect(Object.keys(scalars)).toEqual(['loss', 'unlike'])
    unlike.push((await scalars.unlike?.item()) ?? 0)
  }
  expect(unlike.at(-1)).toBeLessThan(0.75 * (unlike[0] ?? 0))
})
