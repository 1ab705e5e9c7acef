/** Each recipe of the Perceiver on a few generated examples: it trains, beats chance where that is cheap, predicts files and is exported. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportOnnx } from '../../../../src/compile/export.ts'
import { writeNpz } from '../../../../src/io/npz.ts'
import type { Section } from '../../../../src/report/figures.ts'
import type { Recipe } from '../../../../src/systems/define.ts'
import { arrays } from '../../../../src/systems/perceiver/inputs/arrays.ts'
import { audio } from '../../../../src/systems/perceiver/inputs/audio.ts'
import { points } from '../../../../src/systems/perceiver/inputs/points.ts'
import { video } from '../../../../src/systems/perceiver/inputs/video.ts'
import type { Answer, OpenedData, UseContext } from '../../../../src/tasks/define.ts'
import { configFrom, parseAssignment } from '../../../../src/train/settings.ts'
import { told, withFolder } from '../../../data/support.ts'

const small = [
  'model.num_latents=8',
  'model.num_latent_channels=32',
  'model.num_self_attends_per_block=1',
  'optimizer.warmup_steps=4',
  'optimizer.lr=0.005',
  'train.batch_size=16',
]

interface Trained {
  readonly experiment: ReturnType<Recipe['build']>
  readonly data: OpenedData
  readonly metrics: Readonly<Record<string, number>>
  readonly losses: readonly number[]
}

/** Trains a recipe for some steps. */
async function trained(recipe: Recipe, settings: readonly string[], steps: number): Promise<Trained> {
  const config = configFrom(recipe.config, [...small, 'train.epochs=100', ...settings].map(parseAssignment))
  const data = await recipe.open(config, {})
  const experiment = recipe.build(config, recipe.facts.parse(data.facts), { seed: 0 })
  const { task } = experiment.prepare(data)
  const losses: number[] = []
  while (losses.length < steps) {
    for await (const batch of task.loader) {
      losses.push((await task.step(batch)).loss?.item() ?? Number.NaN)
      if (losses.length >= steps) break
    }
  }
  return { experiment, data, metrics: await experiment.evaluate(data), losses }
}

/** What the recipe says of files. */
async function predicted(recipe: Recipe, { experiment }: Trained, files: readonly string[]): Promise<Answer[]> {
  const answers: Answer[] = []
  const use = recipe.uses?.predict
  if (!use) throw new Error('no use')
  for await (const answer of use.run(experiment, files, { top: 2 }, {} as UseContext)) answers.push(answer)
  return answers
}

/** Titles of the figures of the page that `attention` writes for a file, without those on which latents read what. */
async function attended(recipe: Recipe, { experiment }: Trained, file: string): Promise<string[]> {
  const use = recipe.uses?.attention
  if (!use) throw new Error('no use')
  const sections: Section[] = []
  const context: Partial<UseContext> = {
    step: 1,
    writePage: async (name, page) => {
      sections.push(...page.sections)
      return name
    },
  }
  for await (const answer of use.run(experiment, [file], { latents: 2, of: 'scores' }, context as UseContext))
    expect(answer).toMatchObject({ input: file, file: expect.stringMatching(/^attention-.*\.html$/) })
  const titles = ({ figures }: Section): string[] => figures.map(({ title }) => title)
  const [maps, readings] = sections
  if (!maps || !readings) throw new Error('no sections')
  expect(titles(readings)).toEqual(['Which latents read what', 'Latent by latent'])
  const [, table] = readings.figures
  expect(table?.kind === 'table' && table.rows.length).toBe(4) // two cross attentions, two latents
  return titles(maps)
}

/** Titles of the sections of the report, which shows of a test example what `attention` shows of files. */
async function reported({ experiment, data }: Trained): Promise<string[]> {
  return (await experiment.explain?.(data, []))?.map(({ title }) => title) ?? []
}

async function exported({ experiment }: Trained): Promise<number> {
  const make = experiment.exports.classifier
  if (!make) throw new Error('no export')
  return (await exportOnnx(make())).length
}

test('points: surfaces are told apart after some steps; a mesh is predicted', () =>
  withFolder(async (folder) => {
    const run = await trained(points, ['data.examples=160', 'data.points=64'], 60)
    expect(run.metrics.accuracy).toBeGreaterThan(0.4) // chance: 1 / 8
    const file = join(folder, 'a.obj')
    await writeFile(file, 'v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n')
    await writeFile(join(folder, 'bad.off'), 'OFF\n1')
    const [first, second] = await predicted(points, run, [file, join(folder, 'bad.off')])
    expect(first).toMatchObject({ input: file, choices: [{}, {}] })
    expect(await attended(points, run, file)).toEqual(['a.obj, cross attention 1', 'a.obj, cross attention 2'])
    expect(await reported(run)).toEqual(['What it gets wrong', 'What the latents read', 'Which latents read what'])
    expect(second).toMatchObject({
      error: { message: expect.stringMatching(/bad\.off: the OFF file must say how many/) },
    })
    expect(await exported(run)).toBeGreaterThan(1000)
  }))

test.each([
  ['raw', ['model.samples_per_patch=50']],
  ['mel', ['model.input=mel', 'model.n_fft=128', 'model.hop_length=128', 'model.n_mels=8']],
  [
    'mel by frames, with SpecAugment',
    [
      ...['model.input=mel', 'model.mel_row=frame', 'model.n_fft=128', 'model.hop_length=64', 'model.n_mels=8'],
      ...['augment.time_warp=1', 'augment.time_masks=1', 'augment.frequency_masks=1', 'augment.frequency_width=2'],
    ],
  ],
])('audio, %s: tones', async (_, settings) => {
  const run = await trained(audio, ['data.examples=64', 'data.sample_rate=2000', 'data.seconds=0.3', ...settings], 20)
  const mean = (losses: readonly number[]): number => losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  expect(mean(run.losses.slice(-4))).toBeLessThan(mean(run.losses.slice(0, 4)))
  const file = new URL('../../../fixtures/audio/tone.flac', import.meta.url).pathname
  expect(await predicted(audio, run, [file])).toMatchObject([{ input: file, choices: [{}, {}] }])
  expect(await attended(audio, run, file)).toEqual(['tone.flac', 'Cross attention 1', 'Cross attention 2'])
  if (settings.length === 1) expect(await reported(run)).toContain('Places')
  expect(await exported(run)).toBeGreaterThan(1000)
})

test('audio: frames of a spectrogram that are longer than the sound are refused', async () => {
  const settings = ['data.examples=64', 'data.sample_rate=2000', 'data.seconds=0.1', 'model.input=mel']
  expect(await told(() => trained(audio, settings, 1))).toBe(
    'UsageError: model.n_fft must be less than twice the 200 samples of a piece, found 512 | --set model.n_fft=256, or longer pieces: --set data.seconds=1',
  )
})

test('audio: SpecAugment is for spectrograms', async () => {
  const settings = ['data.examples=64', 'data.sample_rate=2000', 'data.seconds=0.3', 'augment.time_masks=1']
  expect(await told(() => trained(audio, settings, 1))).toBe(
    'UsageError: augment.time_warp, frequency_masks and time_masks change spectrograms, found model.input raw | --set model.input=mel',
  )
})

test('video: the sound is heard while pictures are dropped; windows are averaged', () =>
  withFolder(async (folder) => {
    const settings = [
      'data.examples=128',
      'data.frames=2',
      'data.clip_frames=4',
      'data.windows=2',
      'data.sample_rate=1024',
    ]
    const run = await trained(video, [...settings, 'model.video_dropout=0.5', 'data.noise=0.1'], 60)
    expect([run.data.test.length, run.data.testExamples]).toEqual([64, 32])
    // Chance is the mean of the classes' shares: 10 of a tenth, 2 of a half.
    expect(run.metrics.mean_average_precision).toBeGreaterThan(0.22)
    const file = join(folder, 'clip.npz')
    const frames = { dtype: 'uint8', shape: [3, 10, 12, 3], data: new Uint8Array(1080).fill(9) } as const
    await writeFile(file, writeNpz([['frames', frames] as const]))
    expect(await predicted(video, run, [file])).toMatchObject([{ input: file, choices: [{}, {}] }])
    expect(await attended(video, run, file)).toEqual([
      ...['clip.npz: the frames', 'clip.npz: the sound'],
      ...[1, 2].flatMap((t) => [`Cross attention ${t}: the picture`, `Cross attention ${t}: the sound`]),
    ])
    expect(await exported(run)).toBeGreaterThan(1000)
  }))

test.each([
  ['video', 'image'],
  ['audio', 'audio'],
])('video: %s alone', async (modality, name) => {
  const settings = [
    'data.examples=32',
    'data.frames=2',
    'data.clip_frames=2',
    'data.windows=1',
    'data.sample_rate=1024',
  ]
  const { experiment } = await trained(video, [...settings, `model.modalities=${modality}`], 1)
  const padding = [...experiment.weights.keys()].filter((key) => key.includes('.padding.'))
  expect(padding).toEqual([`input_preprocessor.modalities.padding.${name}`])
})

test('video: patches that do not fit are refused', async () => {
  expect(await told(() => trained(video, ['data.examples=32', 'data.frames=3'], 1))).toBe(
    'UsageError: model.temporal_patch must divide data.frames 3, found 2',
  )
})

test('arrays: which row is large, with a mask and positions', () =>
  withFolder(async (folder) => {
    const [count, rows] = [96, 6]
    const labels = Int32Array.from({ length: count }, (_, i) => i % 3)
    const data = Float32Array.from({ length: count * rows }, (_, i) => {
      return i % rows === labels[Math.floor(i / rows)] ? 2 : Math.sin(i) / 4
    })
    const file = join(folder, 'rows.npz')
    const positions = Float32Array.from({ length: rows }, (_, i) => -1 + (2 * i) / (rows - 1))
    const content = [
      ['inputs', { dtype: 'float32', shape: [count, rows, 1], data }],
      ['positions', { dtype: 'float32', shape: [1, rows, 1], data: positions }],
      ['mask', { dtype: 'bool', shape: [count, rows], data: new Uint8Array(count * rows).fill(1) }],
      ['labels', { dtype: 'int32', shape: [count], data: labels }],
    ] as const
    await writeFile(file, writeNpz(content))
    const run = await trained(arrays, [`data.file=${file}`], 60)
    expect(run.metrics.accuracy).toBeGreaterThan(0.7) // chance: 1 / 3
    const answers = await predicted(arrays, run, [file])
    expect(answers).toHaveLength(count)
    expect(answers[1]).toMatchObject({ input: `${file}[1]` })
    expect(await attended(arrays, run, file)).toEqual(['rows.npz[0]', 'Cross attention 1', 'Cross attention 2'])
    expect(await exported(run)).toBeGreaterThan(1000)
  }))

test('a monitored metric that the data do not have is refused', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'a.npz')
    const data = Float32Array.from({ length: 40 }, (_, i) => i)
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2)
    const content = [
      ['inputs', { dtype: 'float32', shape: [40, 1, 1], data }],
      ['labels', { dtype: 'int32', shape: [40], data: labels }],
    ] as const
    await writeFile(file, writeNpz(content))
    const settings = [`data.file=${file}`, 'train.monitor=mean_average_precision']
    expect(await told(() => trained(arrays, settings, 1))).toBe(
      'UsageError: train.monitor is mean_average_precision, which these data do not have: their examples have one class each | --set train.monitor=accuracy, or loss',
    )
  }))
