import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { skipInit } from '../../../src/nn/init.ts'
import { summary } from '../../../src/nn/summary.ts'
import * as ops from '../../../src/ops/index.ts'
import { type PerceiverConfig, variants } from '../../../src/systems/perceiver/config.ts'
import { perceiver } from '../../../src/systems/perceiver/index.ts'
import { ClassificationDecoder, PerceiverIO } from '../../../src/systems/perceiver/io.ts'
import { Perceiver } from '../../../src/systems/perceiver/model.ts'
import { ImagePreprocessor } from '../../../src/systems/perceiver/preprocess.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { type CaseResult, verify } from '../../../src/verify/run.ts'

const folder = new URL('../../cases/perceiver/', import.meta.url)
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe('agrees with the official implementations', () => {
  test.each(cases)('%s', async (name) => {
    const results: CaseResult[] = []
    for await (const result of verify([new URL(name, folder).pathname], perceiver.targets ?? [])) results.push(result)
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({ passed: true, tensors: expect.any(Number) })
    expect(results[0]?.tensors).toBeGreaterThan(0)
  })
})

const countOf = (model: { parameters(): { shape: readonly number[] }[] }): number =>
  model.parameters().reduce((sum, { shape }) => sum + elementCount(shape), 0)

describe('published sizes', () => {
  // Paper, Tables 6 and 7, in millions.
  test.each([
    ['imagenet', 44.91],
    ['imagenet-unshared', 326.24],
  ] as const)('%s', (name, millions) => {
    expect(countOf(skipInit(() => new Perceiver(variants[name]))) / 1e6).toBeCloseTo(millions, 2)
  })

  test.each([
    [1, 'at_start', 42.1],
    [2, 'at_start', 44.9],
    [2, 'interleaved', 44.9],
  ] as const)('ImageNet with %s cross attentions, %s', (num_cross_attends, arrangement, millions) => {
    const num_blocks = arrangement === 'interleaved' ? num_cross_attends : 8
    const config: PerceiverConfig = { ...variants.imagenet, num_cross_attends, num_blocks, arrangement }
    expect(countOf(skipInit(() => new Perceiver(config))) / 1e6).toBeCloseTo(millions, 1)
  })

  // Table 5: cross attentions alone, not shared.
  test.each([
    [4, 12.7],
    [8, 23.8],
    [12, 34.9],
  ])('%s cross attentions without latent transformers', (num_cross_attends, millions) => {
    const config: PerceiverConfig = { ...variants['imagenet-unshared'], num_cross_attends, num_blocks: 0 }
    expect(countOf(skipInit(() => new Perceiver(config))) / 1e6).toBeCloseTo(millions, 1)
  })

  // Tables 5 and 6: thousand millions of multiplications and additions for a picture of 50,176 pixels.
  test.each([
    ['interleaved', 8, 8, 707.2],
    ['at_start', 1, 8, 404.3],
    ['at_start', 4, 8, 534.1],
    ['at_start', 4, 0, 173.1],
  ] as const)('work of %s, %s cross attentions, %s blocks', (arrangement, num_cross_attends, num_blocks, expected) => {
    const config: PerceiverConfig = { ...variants.imagenet, num_cross_attends, num_blocks, arrangement }
    const { multiplyAdds } = summary(
      skipInit(() => new Perceiver(config)),
      [1, 224 * 224, config.input_channels],
    )
    // The paper counts a little more: norms and softmaxes.
    expect(Math.abs((2e-9 * multiplyAdds) / expected - 1)).toBeLessThan(0.0025)
  })

  test("DeepMind's released ImageNet model", () => {
    const model = skipInit(() => {
      const pixels = new ImagePreprocessor({
        kind: 'image',
        prep_type: 'pixels',
        size: [224, 224],
        in_channels: 3,
        position: { type: 'fourier', num_bands: 64 },
      })
      const encoder = {
        input_channels: pixels.outputChannels,
        z_index_dim: 512,
        num_z_channels: 1024,
        num_self_attends_per_block: 6,
        num_blocks: 8,
        num_cross_attend_heads: 1,
        num_self_attend_heads: 8,
      }
      return new PerceiverIO(
        encoder,
        pixels,
        new ClassificationDecoder({ num_classes: 1000, num_latent_channels: 1024 }),
      )
    })
    expect(model.input_preprocessor.rows).toBe(50_176)
    expect(model.input_preprocessor.outputChannels).toBe(261)
    expect(countOf(model) / 1e6).toBeCloseTo(48.44, 2)
  })
})

const rows = constant(new Generator(7).normal(70), [2, 7, 5], 'float32')

describe('the network', () => {
  const config: PerceiverConfig = {
    input_channels: 5,
    num_latents: 4,
    num_latent_channels: 8,
    num_cross_attends: 3,
    num_blocks: 3,
    num_self_attends_per_block: 1,
    num_cross_attend_heads: 1,
    num_self_attend_heads: 2,
    share_weights: true,
    arrangement: 'interleaved',
    num_classes: 3,
  }

  test('does not see the order of its inputs', async () => {
    manualSeed(1)
    const model = new Perceiver(config)
    const run = compile((x: Tensor) => ({ given: model.forward(x), reversed: model.forward(ops.flip(x, [1])) }))
    const { given, reversed } = await run(rows)
    const [a, b] = [await given.numbers(), await reversed.numbers()]
    for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 5)
    await run.release()
  })

  test('reads nothing of masked inputs', async () => {
    manualSeed(2)
    const model = new Perceiver(config)
    const run = compile((rows: Tensor) => {
      const mask = ops.broadcastTo(ops.less(ops.arange(7), 4), [2, 7])
      return { masked: model.forward(rows, mask), short: model.forward(ops.slice(rows, [0, 4], 1)) }
    })
    const { masked, short } = await run(rows)
    const expected = await short.numbers()
    for (const [i, value] of (await masked.numbers()).entries()) expect(value).toBeCloseTo(expected[i] ?? 0, 5)
    await run.release()
  })

  test('is recurrent where weights are shared', () => {
    const model = new Perceiver(config)
    const layers = model.schedule().map(({ layer }) => layer)
    expect(new Set(layers).size).toBe(3)
    expect([layers[2] === layers[4], layers[1] === layers[3], layers[0] === layers[2]]).toEqual([true, true, false])
  })

  test('has as many blocks after each cross attention', () => {
    const kinds = (num_cross_attends: number, arrangement: 'interleaved' | 'at_start') =>
      new Perceiver({ ...config, num_cross_attends, num_blocks: 4, arrangement })
        .schedule()
        .map(({ kind }) => kind[0])
        .join('')
    expect([kinds(2, 'interleaved'), kinds(1, 'interleaved'), kinds(2, 'at_start')]).toEqual([
      'csscss',
      'cssss',
      'ccssss',
    ])
    expect(() => new Perceiver({ ...config, num_blocks: 2 })).toThrow(
      'Perceiver: interleaved, as many blocks must follow each cross attention, found 2 for 3',
    )
    expect(() => new Perceiver({ ...config, num_self_attend_heads: 3 })).toThrow(
      'Perceiver: qkChannels must be a multiple of the heads, found 8 and 3',
    )
  })
})
