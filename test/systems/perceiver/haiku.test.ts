/** DeepMind's names and layouts of preprocessors, and what they refuse. */
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import type { Module } from '../../../src/nn/index.ts'
import { PerceiverIO, ProjectionDecoder } from '../../../src/systems/perceiver/io.ts'
import { fromHaiku, loadOfficial, toHaiku } from '../../../src/systems/perceiver/official.ts'
import {
  ImagePreprocessor,
  type ImagePreprocessorConfig,
  MultimodalPreprocessor,
  type PreprocessorConfig,
  preprocessorOf,
} from '../../../src/systems/perceiver/preprocess.ts'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'

const fourier = { type: 'fourier', num_bands: 2 } as const
const conv: ImagePreprocessorConfig = {
  kind: 'image',
  prep_type: 'conv',
  size: [9, 13],
  in_channels: 2,
  spatial_downsample: 4,
  num_channels: 6,
  position: fourier,
}

function around<P extends Module & { readonly outputChannels: number }>(preprocessor: P): PerceiverIO<P> {
  manualSeed(2)
  const encoder = {
    input_channels: preprocessor.outputChannels,
    z_index_dim: 3,
    num_z_channels: 8,
    num_self_attends_per_block: 1,
    num_blocks: 1,
    num_cross_attend_heads: 1,
    num_self_attend_heads: 2,
  }
  return new PerceiverIO(encoder, preprocessor, new ProjectionDecoder(8, 3))
}

const shapesBelow = (state: ReadonlyMap<string, NDArray>, prefix: string): Record<string, readonly number[]> =>
  Object.fromEntries([...state].flatMap(([name, { shape }]) => (name.startsWith(prefix) ? [[name, shape]] : [])))

describe('batch norms behind convolutions', () => {
  const model = around(new ImagePreprocessor({ ...conv, spatial_downsample: 16 }))
  const state = toHaiku(model, model.stateDict())
  const base = 'image_preprocessor/~/conv2_d_downsample/~/'

  test("have Haiku's shapes and names, numbered", () => {
    const ofNorm = (name: string) => ({
      [`${base}${name}/scale`]: [1, 1, 1, 6],
      [`${base}${name}/offset`]: [1, 1, 1, 6],
      [`${base}${name}/~/mean_ema/average`]: [1, 1, 1, 6],
      [`${base}${name}/~/var_ema/average`]: [1, 1, 1, 6],
      [`${base}${name}/~/mean_ema/counter`]: [],
    })
    expect(shapesBelow(state, base)).toEqual({
      [`${base}conv/w`]: [7, 7, 2, 6],
      [`${base}conv_1/w`]: [7, 7, 6, 6],
      ...ofNorm('batchnorm'),
      ...ofNorm('batchnorm_1'),
    })
  })

  test('are loaded with their counts, or without', () => {
    const count = (value: number): NDArray => ({ dtype: 'int32', shape: [], data: Int32Array.of(value) })
    const whole = new Map(state)
    for (const [name, array] of state) {
      const average = /^(.+_ema)\/average$/.exec(name)?.[1]
      if (average) whole.set(`${average}/hidden`, array).set(`${average}/counter`, count(12))
    }
    const tracked = 'input_preprocessor.convnet.further.0.batchnorm.num_batches_tracked'
    const counted: NDArray = { dtype: 'int64', shape: [], data: BigInt64Array.of(12n) }
    const own = new Map(model.stateDict())
    expect(fromHaiku(model, whole).get(tracked)).toEqual(counted)
    loadOfficial(model, new Map([...whole].filter(([name]) => !/(counter|hidden)$/.test(name))))
    expect(model.stateDict()).toEqual(own)
    loadOfficial(model, whole)
    expect(model.stateDict().get(tracked)).toEqual(counted)
  })
})

describe('modalities', () => {
  const learned = { type: 'trainable', num_channels: 4 } as const
  const sound: PreprocessorConfig = { kind: 'audio', samples: 14, samples_per_patch: 7, position: learned }
  const pixels: PreprocessorConfig = { ...conv, prep_type: 'pixels', spatial_downsample: 1, position: learned }

  test('are named after their class, and numbered in the order in which they are configured', () => {
    const modalities = { image: pixels, noise: sound, flow: pixels, label: { kind: 'one-hot', classes: 3 } } as const
    const model = around(new MultimodalPreprocessor({ modalities, mask_probs: { flow: 0.5 } }))
    const shapes = shapesBelow(toHaiku(model, model.stateDict()), '')
    const positions = '~_build_network_inputs/trainable_position_encoding/pos_embs'
    expect(
      Object.keys(shapes)
        .filter((name) => name.includes('preprocessor'))
        .toSorted(),
    ).toEqual([
      `audio_preprocessor/${positions}`,
      `image_preprocessor/${positions}`,
      `image_preprocessor_1/${positions}`,
      'multimodal_preprocessor/flow_mask_token/pos_embs',
      'multimodal_preprocessor/flow_padding/pos_embs',
      'multimodal_preprocessor/image_padding/pos_embs',
      'multimodal_preprocessor/label_padding/pos_embs',
      'multimodal_preprocessor/noise_padding/pos_embs',
    ])
    // "flow" comes first by name, and is still the second that was made.
    const marked = new Map(model.stateDict())
    const name = 'input_preprocessor.modalities.flow.position_embeddings.position_embeddings'
    const { shape = [], data } = marked.get(name) ?? {}
    marked.set(name, { dtype: 'float32', shape, data: new Float32Array(data?.length ?? 0).fill(7) })
    expect(toHaiku(model, marked).get(`image_preprocessor_1/${positions}`)?.data[0]).toBe(7)
    loadOfficial(model, toHaiku(model, marked))
    expect(model.stateDict().get(name)?.data[0]).toBe(7)
  })

  test('sound alone is no picture', () => {
    const model = around(preprocessorOf(sound))
    expect([...toHaiku(model, model.stateDict()).keys()]).toContain(
      'audio_preprocessor/~_build_network_inputs/trainable_position_encoding/pos_embs',
    )
  })
})

describe('convolutions', () => {
  test.each([
    [1, 'same', 9 * 13, 2 + 10],
    [4, 'same', 3 * 4, 6 + 10],
    [16, 'same', 1, 6 + 10],
    [1, 'symmetric', 2 * 3, 6 + 10],
    [16, 'symmetric', 2 * 3, 6 + 10],
  ] as const)('spatial_downsample %s, %s: %s rows', async (spatial_downsample, conv_padding, rows, channels) => {
    const preprocessor = new ImagePreprocessor({ ...conv, spatial_downsample, conv_padding })
    expect([preprocessor.rows, preprocessor.outputChannels]).toEqual([rows, channels])
    const run = compile((x: Tensor) => preprocessor.eval().forward(x), { threads: 1 })
    const { shape } = await run(constant(new Float32Array(234), [1, 2, 9, 13], 'float32'))
    expect(shape).toEqual([1, rows, channels])
    await run.release()
  })

  test.each([
    [{ spatial_downsample: 3 }, 'spatial_downsample must be a power of 4 (1, 4, 16, ...), found 3'],
    [
      { spatial_downsample: 2, conv_padding: 'symmetric' },
      'spatial_downsample must be a power of 4 (1, 4, 16, ...), found 2',
    ],
    [{ temporal_downsample: 2 }, 'temporal_downsample must be 1, found 2'],
  ] as const)('%o is refused', (settings, message) => {
    expect(() => new ImagePreprocessor({ ...conv, ...settings })).toThrow(`Perceiver: with prep_type 'conv' ${message}`)
  })

  test('of single pixels leave the frames too', () => {
    expect(() => new ImagePreprocessor({ ...conv, prep_type: 'conv1x1', temporal_downsample: 2 })).toThrow(
      "Perceiver: with prep_type 'conv1x1' temporal_downsample must be 1, found 2",
    )
  })
})
