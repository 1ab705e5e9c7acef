/** Real picture files from training to export, as a user runs it: the built program in processes of its own. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeNpz } from '../../src/io/npz.ts'
import { Mixer } from '../../src/systems/mixer/model.ts'
import { toOfficial } from '../../src/systems/mixer/official.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { program, tenfold } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-images-'))
const photos = join(folder, 'photos')
const run = join(folder, 'run')

/** The last JSON line of a command's output. */
const last = (out: string) => JSON.parse(out.trim().split('\n').at(-1) ?? '{}')

const formats = ['png', 'jpg', 'webp'] as const

/** Two classes: dark and light pictures of all three formats and of several sizes. */
async function writePhotos(): Promise<void> {
  for (const [name, level] of [
    ['dark', 40],
    ['light', 210],
  ] as const) {
    mkdirSync(join(photos, name), { recursive: true })
    for (let i = 0; i < 15; i++) {
      const [width, height] = [24 + i, 20 + ((5 * i) % 11)]
      const background = { r: level + i, g: level - i, b: level }
      const format = formats[i % 3] ?? 'png'
      await sharp({ create: { width, height, channels: 3, background } }).toFile(join(photos, name, `${i}.${format}`))
    }
  }
}

const sets = (...assignments: string[]) => assignments.flatMap((assignment) => ['--set', assignment])

const modern = sets(
  `data.folder=${photos}`,
  'data.image_size=16',
  'model.patch_size=4',
  'model.num_blocks=2',
  'model.hidden_dim=16',
  'model.tokens_mlp_dim=8',
  'model.channels_mlp_dim=16',
  'model.stoch_depth=0.1',
  'augment.crop_area=0.3',
  'augment.randaugment_layers=1',
  'augment.randaugment_magnitude=1',
  'augment.mixup=0.2',
  'optimizer.ema_decay=0.9',
  'optimizer.lr=0.01',
  'optimizer.warmup_steps=4',
  'train.epochs=12',
  'train.batch_size=8',
  'train.checkpoint_every=5',
)

beforeAll(async () => {
  await writePhotos()
  const trained = await tenfold('train', 'mixer/images', ...modern, '--out', run, '--json')
  expect(trained.err).toBe('')
  expect(last(trained.out)).toMatchObject({ event: 'done', step: 36 })
}, 60_000)

describe('a run on picture files', () => {
  test('learned what is dark and what is light, and says so of files of every format', async () => {
    const evaluated = await tenfold('eval', run, '--json')
    expect(last(evaluated.out).metrics.accuracy).toBe(1)
    const files = formats.flatMap((format, i) => [
      join(photos, 'dark', `${i}.${format}`),
      join(photos, 'light', `${i}.${format}`),
    ])
    const predicted = await tenfold('predict', run, ...files, '--json')
    const predictions = predicted.out
      .trim()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
    expect(predictions.map(({ choices }) => choices[0].label)).toEqual([
      'dark',
      'light',
      'dark',
      'light',
      'dark',
      'light',
    ])
    expect(predictions[0].choices[0].probability + predictions[0].choices[1].probability).toBeCloseTo(1, 5)
  })

  test('a run killed at any moment goes on to the same end', async () => {
    const broken = join(folder, 'broken')
    const child = spawn(process.execPath, [program, 'train', 'mixer/images', ...modern, '--out', broken, '--json'])
    await new Promise<void>((resolve) => {
      let seen = 0
      child.stdout.on('data', (chunk: Buffer) => {
        seen += chunk.toString().split('"event":"step"').length - 1
        if (seen >= 13) child.kill('SIGKILL')
      })
      child.on('exit', () => resolve())
    })
    const resumed = await tenfold('resume', broken, '--json')
    const evaluated = await tenfold('eval', run, '--json')
    expect(last(resumed.out).metrics).toEqual(last(evaluated.out).metrics)
    const steps = (path: string) =>
      readFileSync(join(path, 'metrics.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"type":"step"'))
    expect(steps(broken)).toEqual(steps(run))
  })

  test('few-shot on its own classes and on other pictures', async () => {
    const own = await tenfold('fewshot', run, '--shots', '1,3', '--seeds', '2', '--json')
    expect(own.err).toBe('')
    const events = own.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.slice(0, -1).map(({ use, values }) => [use, Object.keys(values), values.shots])).toEqual([
      ['fewshot', ['shots', 'seed_0', 'seed_1', 'mean'], 1],
      ['fewshot', ['shots', 'seed_0', 'seed_1', 'mean'], 3],
    ])
    expect(events.at(-1).metrics.accuracy_3_shot).toBeGreaterThan(0.8)
    const other = await tenfold('fewshot', run, '--data', photos, '--shots', '20')
    expect(other.out).toContain('2 classes, 17 test examples, chance 50.00 %\n')
    // Of the run's own folder, which is `photos`.
    expect(other.out).toMatch(/^warning: the run was trained on \d+ of the 30 pictures \(.*\)$/m)
    expect(other.out).toMatch(/the smallest class has \d examples to learn from: with more shots, it gives all\n/)
  })

  test('few-shot on pictures that are damaged or too few', async () => {
    const others = join(folder, 'others')
    for (const [c, name] of ['a', 'b'].entries()) {
      mkdirSync(join(others, name), { recursive: true })
      for (let i = 0; i < 6; i++) {
        const background = { r: 90 * c, g: 11 * i, b: 17 }
        await sharp({ create: { width: 20, height: 20, channels: 3, background } }).toFile(
          join(others, name, `${i}.png`),
        )
      }
    }
    writeFileSync(join(others, 'a', '9.png'), 'damaged')
    const fewshot = (...args: string[]) =>
      tenfold('fewshot', run, '--data', others, '--shots', '1', '--seeds', '1', ...args)
    expect((await fewshot()).err).toMatch(
      /^error: .*others: 1 entry cannot be used: a\/9\.png: .* \(--on-error skip leaves them out\)\n$/,
    )
    const skipped = await fewshot('--on-error', 'skip')
    expect([skipped.code, skipped.err]).toEqual([0, ''])
    expect(skipped.out).toMatch(/^data {7}12 pictures in 2 classes; 1 left out \(a\/9\.png: /)
    expect(skipped.out).not.toContain('the run was trained on')
  })

  test('its weights as a page, its model as ONNX', async () => {
    expect((await tenfold('inspect', run)).out).toBe(`${join(run, 'inspect.html')}\n`)
    const page = readFileSync(join(run, 'inspect.html'), 'utf8')
    for (const title of ['Patch projection', 'Token mixing, block 0', 'Token mixing, block 1'])
      expect(page).toContain(title)
    const model = join(folder, 'model.onnx')
    expect((await tenfold('export', run, '--format', 'onnx', '--out', model)).code).toBe(0)
    expect((await tenfold('info', model)).out).toContain('uint8[batch, 3, 16, 16]')
  })

  test('mistakes end in one line', async () => {
    const text = join(folder, 'notes.png')
    writeFileSync(text, 'no picture')
    expect(await tenfold('predict', run, text)).toMatchObject({
      code: 2,
      out: expect.stringMatching(/^.*notes\.png: error: must be a readable picture, found: .*\n$/),
      err: 'error: 1 of 1 inputs could not be used\n',
    })
    expect(await tenfold('fewshot', run, '--shots', '1,x')).toMatchObject({
      code: 2,
      err: 'error: setting "shots.1": expected number, received string, found "x"\n',
    })
    expect((await tenfold('fewshot', run, '--data', join(folder, 'nowhere'))).err).toBe(
      `error: ${join(folder, 'nowhere')}: no such file or folder\n`,
    )
  })
})

test('fine-tuning: an official file, a new head, twice the resolution; then evaluated, exported and begun from again', async () => {
  manualSeed(4)
  const pretrained = new Mixer({
    patch_size: [4, 4],
    image_size: [16, 16],
    in_channels: 3,
    num_classes: 5,
    num_blocks: 2,
    hidden_dim: 12,
    tokens_mlp_dim: 6,
    channels_mlp_dim: 16,
    stoch_depth: 0,
    gelu: 'tanh',
  })
  const file = join(folder, 'Mixer.npz')
  writeFileSync(file, writeNpz(toOfficial(pretrained.stateDict())))
  const tuned = join(folder, 'tuned')
  const options = (checkpoint: string) =>
    sets(
      `model.checkpoint=${checkpoint}`,
      'model.freeze=stem',
      `data.folder=${photos}`,
      'data.image_size=32',
      'optimizer.name=sgd',
      'optimizer.lr=0.05',
      'optimizer.warmup_steps=2',
      'train.epochs=4',
      'train.batch_size=8',
    )
  const trained = await tenfold('train', 'mixer/images', ...options(file), '--out', tuned)
  expect(trained.err).toBe('')
  expect(trained.out).toContain(
    `weights of ${file} (official): 2 blocks of width 12, patches of 4, token mixing enlarged from 16x16 to 32x32 pixels; new head\n`,
  )
  expect(JSON.parse(readFileSync(join(tuned, 'run.json'), 'utf8')).config.model).toMatchObject({
    num_blocks: 2,
    tokens_mlp_dim: 24,
    gelu: 'tanh',
  })
  const metrics = async () => last((await tenfold('eval', tuned, '--json')).out).metrics
  const before = await metrics()
  // As if killed before the first checkpoint.
  rmSync(join(tuned, 'checkpoints'), { recursive: true })
  const described = JSON.parse(readFileSync(join(tuned, 'run.json'), 'utf8'))
  writeFileSync(join(tuned, 'run.json'), JSON.stringify({ ...described, begun: false }))
  expect((await tenfold('resume', tuned)).code).toBe(0)
  expect(await metrics()).toEqual(before)
  writeFileSync(file, '') // what the run needs is its own by now
  expect((await metrics()).accuracy).toBeGreaterThan(0.5)
  expect((await tenfold('predict', tuned, join(photos, 'light', '2.webp'))).out).toMatch(/light \d/)
  const exported = join(folder, 'tuned.safetensors')
  expect((await tenfold('export', tuned, '--format', 'safetensors', '--out', exported)).code).toBe(0)
  const again = await tenfold(
    'train',
    'mixer/images',
    ...options(exported),
    '--steps',
    '2',
    '--out',
    join(folder, 'again'),
  )
  expect(again.out).toContain(`weights of ${exported} (tenfold): 2 blocks of width 12, patches of 4; new head\n`)
  const wrong = await tenfold('train', 'mixer/images', ...options(file))
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining('must be a safetensors, .npz, .npy or PyTorch file'),
  })
}, 60_000)

test('tenfold list RECIPE shows every setting', async () => {
  const { out } = await tenfold('list', 'mixer/images')
  expect(out).toContain('  augment.mixup = 0  ')
  expect(out).toContain('  model.checkpoint = ""  ')
  const lines = (await tenfold('list', 'mixer/images', '--json')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ event }) => event === 'setting').every(({ description }) => description.length > 10)).toBe(
    true,
  )
})
