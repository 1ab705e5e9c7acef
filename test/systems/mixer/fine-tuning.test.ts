import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { arrayDataset } from '../../../src/data/index.ts'
import { writeNpz } from '../../../src/io/npz.ts'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import type { MixerConfig } from '../../../src/systems/mixer/config.ts'
import { readStart } from '../../../src/systems/mixer/fine-tuning.ts'
import { Mixer } from '../../../src/systems/mixer/model.ts'
import { toOfficial } from '../../../src/systems/mixer/official.ts'
import { images } from '../../../src/systems/mixer/recipes.ts'
import type { PictureExperiment } from '../../../src/tasks/pictures/experiment.ts'
import { featureExtractor } from '../../../src/tasks/pictures/features.ts'
import type { OpenedPictures } from '../../../src/tasks/pictures/open.ts'
import { type NDArray, toNumbers } from '../../../src/tensor/dtype.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { told } from '../../data/support.ts'
import { randomNumbers } from '../../support/gradients.ts'
import { pickledObject, pytorchCheckpoint } from '../../support/pytorch.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-fine-tuning-'))

const sizes: MixerConfig = {
  patch_size: [4, 4],
  image_size: [8, 8],
  in_channels: 3,
  num_classes: 7,
  num_blocks: 2,
  hidden_dim: 6,
  tokens_mlp_dim: 3,
  channels_mlp_dim: 5,
  stoch_depth: 0,
  gelu: 'tanh',
}

/** A Mixer of the given sizes with every weight at random, as if trained. */
function trainedMixer(config: MixerConfig = sizes): Mixer {
  manualSeed(1)
  const model = new Mixer(config).eval()
  const random = randomNumbers(3)
  for (const variable of model.variables().values())
    variable.set(Float32Array.from({ length: variable.size }, () => random() - 0.5))
  return model
}

const original = trainedMixer()
const timm = original.stateDict()

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const withPrefix = (tensors: ReadonlyMap<string, NDArray>, prefix: string) =>
  new Map([...tensors].map(([name, array]) => [`${prefix}${name}`, array] as const))

const zeros = (tensors: ReadonlyMap<string, NDArray>) =>
  new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: new Float32Array(data.length) }]),
  )

const files = {
  official: write('Mixer.npz', writeNpz(toOfficial(timm))),
  safetensors: write('timm.safetensors', writeSafetensors(timm)),
  pytorch: write('timm.pth', pytorchCheckpoint(timm)),
  training: write('last.pth.tar', pytorchCheckpoint(timm, pickledObject('args', 'argparse', 'Namespace'))),
  average: write(
    'average.safetensors',
    writeSafetensors([...withPrefix(zeros(timm), 'state_dict.'), ...withPrefix(timm, 'state_dict_ema.module.')]),
  ),
  prefixed: write('wrapped.safetensors', writeSafetensors(withPrefix(timm, 'module.'))),
  state: write('state.npz', writeNpz(withPrefix(toOfficial(timm), 'params/'))),
  ours: write('ours.safetensors', writeSafetensors(timm, { system: 'mixer', config: '{"model":{"gelu":"tanh"}}' })),
}

/** The configuration of `mixer/images` with these settings. */
const settings = (...assignments: string[]) =>
  configFrom(images.config, assignments.map(parseAssignment)) as Parameters<typeof readStart>[0]

const pictures = (side: number, channels: 1 | 3 = 3) => ({ image_size: [side, side] as const, in_channels: channels })

/** The weights of the checkpoint that a configuration names, for pictures of that form. */
async function fitted(config: ReturnType<typeof settings>, form: ReturnType<typeof pictures>) {
  const start = await readStart(config)
  if (!start) throw new Error('the configuration names no checkpoint')
  return start.fit(config, form)
}

/** An experiment of `mixer/images` for 2 classes, begun from a checkpoint. */
async function begin(path: string, side: number, ...assignments: string[]) {
  const { config, weights } = await fitted(
    settings(`model.checkpoint=${path}`, 'train.batch_size=4', 'train.epochs=1', ...assignments),
    pictures(side),
  )
  const facts = { labels: ['a', 'b'], image_size: [side, side], in_channels: 3 }
  const experiment = images.build(config, facts, { seed: 0 }) as PictureExperiment<Mixer>
  experiment.initialize?.(weights)
  return { config, experiment }
}

function somePictures(side: number) {
  const random = randomNumbers(8)
  return arrayDataset({
    image: {
      dtype: 'uint8',
      shape: [8, 3, side, side],
      data: Uint8Array.from({ length: 24 * side ** 2 }, () => 256 * random()),
    },
    label: { dtype: 'int32', shape: [8], data: Int32Array.from([0, 1, 0, 1, 1, 0, 1, 0]) },
  })
}

/** Features of 8x8 pictures by the checkpoint's own model, with the GELU it was trained with. */
async function ownFeatures(gelu: MixerConfig['gelu'], picture: NDArray): Promise<number[]> {
  const model = trainedMixer({ ...sizes, gelu })
  const run = compile((image: Tensor) => model.features(image))
  const features = toNumbers((await run(picture)).array.data)
  await run.release()
  return features
}

describe('a checkpoint begins the training', () => {
  test.each([
    ['official', 'tanh'],
    ['state', 'tanh'],
    ['safetensors', 'none'],
    ['pytorch', 'none'],
    ['prefixed', 'none'],
    ['training', 'none'],
    ['average', 'none'],
    ['ours', 'tanh'],
  ] as const)('%s: its sizes, its GELU (%s), its features, a new head of zeros', async (kind, gelu) => {
    const { config, experiment } = await begin(files[kind], 8)
    expect(config.model).toMatchObject({
      patch_size: 4,
      num_blocks: 2,
      hidden_dim: 6,
      tokens_mlp_dim: 3,
      channels_mlp_dim: 5,
      gelu,
    })
    const data = somePictures(8)
    const found = await featureExtractor(experiment.model, {})(data)
    const { image } = await data.batch([0, 1, 2, 3, 4, 5, 6, 7], { epoch: 0, seed: 0 })
    const pixels = Float32Array.from(toNumbers(image?.data ?? new Uint8Array()), (value) => value / 127.5 - 1)
    const expected = await ownFeatures(gelu, { dtype: 'float32', shape: [8, 3, 8, 8], data: pixels })
    const got = toNumbers(found.features.data)
    for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 5)
    expect(experiment.weights.get('head.weight')?.array).toMatchObject({ shape: [2, 6], data: new Float32Array(12) })
    expect((await experiment.evaluate({ train: data, test: data } as OpenedPictures)).loss).toBeCloseTo(Math.log(2), 6)
  })

  test('the setting of the GELU wins', async () => {
    const { config } = await begin(files.official, 8, 'model.gelu=none')
    expect(config.model.gelu).toBe('none')
  })

  test('twice the resolution: four copies of the token mixing, features the mean over the quarters', async () => {
    const { config, experiment } = await begin(files.official, 16)
    expect(config.model.tokens_mlp_dim).toBe(12)
    const large = somePictures(16)
    const features = toNumbers((await featureExtractor(experiment.model, {})(large)).features.data)
    const { image } = await large.batch([0], { epoch: 0, seed: 0 })
    const quarters = [0, 1, 2, 3].flatMap((quarter) =>
      Array.from({ length: 3 * 8 * 8 }, (_, i) => {
        const [channel, y, x] = [Math.floor(i / 64), Math.floor((i % 64) / 8), i % 8]
        const place = (channel * 16 + y + 8 * Math.floor(quarter / 2)) * 16 + x + 8 * (quarter % 2)
        return Number(image?.data[place]) / 127.5 - 1
      }),
    )
    const parts = await ownFeatures('tanh', {
      dtype: 'float32',
      shape: [4, 3, 8, 8],
      data: Float32Array.from(quarters),
    })
    for (let j = 0; j < 6; j++) {
      const mean = [0, 1, 2, 3].reduce((sum, quarter) => sum + (parts[quarter * 6 + j] ?? 0) / 4, 0)
      expect(features[j]).toBeCloseTo(mean, 5)
    }
  })

  test('it trains, with momentum SGD as in the paper, and frozen parts keep their weights', async () => {
    const { experiment } = await begin(
      files.official,
      8,
      'optimizer.name=sgd',
      'optimizer.warmup_steps=0',
      'optimizer.lr=0.1',
      'model.freeze=stem, blocks.0,blocks.1.norm1.weight',
    )
    const data = somePictures(8)
    const before = new Map([...experiment.weights].map(([name, { data: values }]) => [name, values.slice()]))
    const { task } = experiment.prepare({ train: data, test: data })
    for await (const batch of task.loader) await task.step(batch)
    const changed = [...experiment.weights].filter(
      ([name, { data: values }]) => String(values) !== String(before.get(name)),
    )
    const names = changed.map(([name]) => name)
    expect(names.filter((name) => /^(stem|blocks\.0)\.|blocks\.1\.norm1\.weight/.test(name))).toEqual([])
    // The bias behind the token mixing never has a gradient: each later reader is a LayerNorm.
    expect(names).toContain('head.weight')
    expect(names).toContain('blocks.1.norm1.bias')
    await task.step.release()
  })
})

describe('files and settings that do not fit', () => {
  const fail = (path: string, side: number, channels: 1 | 3 = 3) =>
    told(() => fitted(settings(`model.checkpoint=${path}`), pictures(side, channels)))
  const shortened = async (result: Promise<string>) => (await result).replaceAll(`${folder}/`, '')

  test('another resolution', async () => {
    expect(await shortened(fail(files.official, 12))).toMatchInlineSnapshot(
      `"UsageError: Mixer.npz: its token mixing is for 4 patches of 4x4 pixels, pictures of 12x12 do not have K x K times as many | --set data.image_size=8, or a multiple: 16, 24"`,
    )
  })

  test('another number of channels', async () => {
    expect(await shortened(fail(files.official, 8, 1))).toMatchInlineSnapshot(
      `"UsageError: Mixer.npz: is for pictures of 3 channels, these have 1"`,
    )
  })

  test('no Mixer', async () => {
    const other = new Map([['fc.weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) } as const]])
    const path = write('other.safetensors', writeSafetensors(other))
    expect(await shortened(fail(path, 8))).toMatchInlineSnapshot(
      `"FormatError: other.safetensors: must be a checkpoint of an MLP-Mixer, found a safetensors file without its stem | "stem/kernel" in official .npz files, "stem.proj.weight" in timm's; tenfold info other.safetensors lists what it holds"`,
    )
  })

  test('a part is missing, or has another shape', async () => {
    const less = new Map(timm)
    less.delete('blocks.1.mlp_tokens.fc2.bias')
    expect(await shortened(fail(write('less.safetensors', writeSafetensors(less)), 8))).toMatchInlineSnapshot(
      `"FormatError: less.safetensors: is not a complete checkpoint of an MLP-Mixer: Mixer: the state dict does not fit: missing blocks.1.mlp_tokens.fc2.bias"`,
    )
    const odd = new Map(timm).set('blocks.1.norm2.bias', { dtype: 'float32', shape: [3], data: new Float32Array(3) })
    expect(await shortened(fail(write('odd.npz', writeNpz(toOfficial(odd))), 8))).toMatchInlineSnapshot(
      `"FormatError: odd.npz: is not a complete checkpoint of an MLP-Mixer: Mixer: the state dict does not fit: of another shape blocks.1.norm2.bias (float32[6], found float32[3])"`,
    )
    const flat = new Map(timm).set('stem.proj.weight', {
      dtype: 'float32',
      shape: [6, 48],
      data: new Float32Array(6 * 48),
    })
    expect(await shortened(fail(write('flat.safetensors', writeSafetensors(flat)), 8))).toMatchInlineSnapshot(
      `"FormatError: flat.safetensors: is not a complete checkpoint of an MLP-Mixer: "stem.proj.weight" must have 4 axes, found shape [6, 48]"`,
    )
    less.delete('blocks.0.mlp_channels.fc1.weight')
    expect(await shortened(fail(write('least.safetensors', writeSafetensors(less)), 8))).toMatchInlineSnapshot(
      `"FormatError: least.safetensors: is not a complete checkpoint of an MLP-Mixer: "blocks.0.mlp_channels.fc1.weight" is missing"`,
    )
  })

  test('a part that is not read', async () => {
    const less = new Map(timm)
    less.delete('norm.weight')
    const bytes = pytorchCheckpoint(less, pickledObject('norm.weight', 'torch', 'Other'))
    expect(await shortened(fail(write('other.pth', bytes), 8))).toMatchInlineSnapshot(
      `"FormatError: other.pth: is not a complete checkpoint of an MLP-Mixer: Mixer: the state dict does not fit: missing norm.weight | not read of the file: norm.weight (torch.Other)"`,
    )
  })

  test('no file, no file of tensors', async () => {
    expect(await shortened(fail(join(folder, 'none.npz'), 8))).toMatchInlineSnapshot(
      `"UsageError: none.npz: cannot be read (ENOENT) | is there a file of that name?"`,
    )
    expect(await shortened(fail(write('text.npz', Buffer.from('hello')), 8))).toMatchInlineSnapshot(
      `"FormatError: text.npz: must be a safetensors, .npz, .npy or PyTorch file, is none of these | formats are recognised by content: is this the right file, and complete?"`,
    )
  })

  test('parts to freeze', async () => {
    expect(await told(() => begin(files.official, 8, 'model.freeze=stam'))).toMatchInlineSnapshot(
      `"UsageError: model.freeze: the model has no part "stam" | did you mean "stem"?"`,
    )
    expect(await told(() => begin(files.official, 8, 'model.freeze=stem,blocks,norm,head'))).toMatchInlineSnapshot(
      `"UsageError: model.freeze: every part is frozen, nothing is left to train | leave at least the head: stem,blocks,norm"`,
    )
  })
})
