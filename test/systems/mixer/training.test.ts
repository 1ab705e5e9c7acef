/** Everything of modern training at once: it must resume exactly, and what is evaluated must be the averaged weights. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { augmentPictures } from '../../../src/data/augment/index.ts'
import { arrayDataset } from '../../../src/data/index.ts'
import { openingOf } from '../../../src/data/opening.ts'
import { recordWhole } from '../../../src/data/record.ts'
import { images } from '../../../src/systems/mixer/recipes.ts'
import type { OpenedData } from '../../../src/tasks/define.ts'
import { type AugmentSettings, augmentOptions } from '../../../src/tasks/pictures/settings.ts'
import { toNumbers } from '../../../src/tensor/dtype.ts'
import { newestCheckpoint } from '../../../src/train/checkpoint.ts'
import { train } from '../../../src/train/loop.ts'
import { RunDirectory } from '../../../src/train/run.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'
import { restoreVariables } from '../../../src/train/store.ts'
import { randomNumbers } from '../../support/gradients.ts'

const facts = { labels: ['dark', 'light', 'none'], image_size: [8, 8], in_channels: 3 }

const config = configFrom(
  images.config,
  [
    'augment.crop_area=0.2',
    'augment.randaugment_layers=2',
    'augment.randaugment_magnitude=15',
    'augment.mixup=0.5',
    'model.patch_size=4',
    'model.num_blocks=2',
    'model.hidden_dim=8',
    'model.tokens_mlp_dim=4',
    'model.channels_mlp_dim=8',
    'model.stoch_depth=0.5',
    'optimizer.ema_decay=0.9',
    'optimizer.warmup_steps=4',
    'train.batch_size=8',
    'train.epochs=4',
    'train.checkpoint_every=3',
  ].map(parseAssignment),
)

function makeData(): OpenedData {
  const random = randomNumbers(4)
  const pictures = arrayDataset({
    image: { dtype: 'uint8', shape: [32, 3, 8, 8], data: Uint8Array.from({ length: 32 * 192 }, () => 256 * random()) },
    label: { dtype: 'int32', shape: [32], data: Int32Array.from({ length: 32 }, (_, i) => i % 3) },
  })
  return {
    train: augmentPictures(pictures, augmentOptions(config.augment as AugmentSettings)),
    plain: pictures,
    test: pictures,
    facts,
    opening: openingOf(['32 pictures'], [], recordWhole('picture', {})),
  }
}

async function newRun(): Promise<RunDirectory> {
  return RunDirectory.create(join(await mkdtemp(join(tmpdir(), 'tenfold-mixer-')), 'run'), {
    format: 1,
    system: 'mixer',
    recipe: 'images',
    seed: 3,
    config,
    facts,
    limits: { steps: null },
    threads: null,
    tensorboard: false,
    versions: {},
    started: '',
  })
}

/** Trains to the end, or to a step; every variable's bytes at the end. */
async function trainTo(run: RunDirectory, stopAt = Number.POSITIVE_INFINITY) {
  const experiment = images.build(config, facts, { seed: 3 })
  const data = makeData()
  const { task, loop } = experiment.prepare(data)
  const controller = new AbortController()
  const onStep = ({ step }: { step: number }) => step >= stopAt && controller.abort()
  const result = await train(task, run, { ...loop, signal: controller.signal }, { onStep })
  const bytes = [...task.variables].map(([name, { data: values }]) => [name, toNumbers(values)] as const)
  return { result, experiment, data, bytes: new Map(bytes) }
}

test('a run with crops, RandAugment, mixup, stochastic depth and averaging resumes bit by bit', async () => {
  const straight = await trainTo(await newRun())
  expect(straight.result).toMatchObject({ reason: 'finished', step: 16 })
  const broken = await newRun()
  expect((await trainTo(broken, 7)).result).toMatchObject({ reason: 'interrupted', step: 7 })
  const resumed = await trainTo(broken)
  expect(resumed.bytes).toEqual(straight.bytes)
  expect(resumed.result.metrics).toEqual(straight.result.metrics)
})

test('the averaged weights are what is evaluated, saved as the model, and opened again', async () => {
  const run = await newRun()
  const { experiment, data, result, bytes } = await trainTo(run)
  expect(bytes.get('model.head.weight')).not.toEqual(bytes.get('trained.head.weight'))
  expect([...(experiment.weights.get('head.weight')?.data ?? [])]).toEqual(bytes.get('model.head.weight'))
  expect(await experiment.evaluate(data as OpenedData)).toEqual(result.metrics)

  const opened = images.build(config, facts, { seed: 3 })
  const checkpoint = await newestCheckpoint(run.checkpoints)
  if (!checkpoint) throw new Error('no checkpoint')
  restoreVariables(checkpoint, new Map([...opened.weights].map(([name, variable]) => [`model.${name}`, variable])))
  expect(await opened.evaluate(data as OpenedData)).toEqual(result.metrics)
})

test('without averaging there is one model', () => {
  const plain = { ...config, optimizer: { ...(config.optimizer as object), ema_decay: 0 } }
  const { task } = images.build(plain, facts, { seed: 3 }).prepare(makeData())
  const groups = new Set([...task.variables.keys()].map((name) => name.split('.')[0]))
  expect([...groups]).toEqual(['model', 'optimizer', 'random'])
})
