/** Pictures at each evaluation, of a tiny system whose sampler draws random numbers: kept, resumed, shown in the report. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { trainRun } from '../../src/cli/training.ts'
import { createReporter } from '../../src/cli/ui.ts'
import { compile } from '../../src/compile/compile.ts'
import { arrayDataset } from '../../src/data/dataset.ts'
import { openingOf } from '../../src/data/opening.ts'
import { recordWhole } from '../../src/data/record.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { pictureSheet, picturesOf } from '../../src/report/from-tensors.ts'
import { defineRecipe, defineSystem } from '../../src/systems/define.ts'
import { prepareRun, startRun } from '../../src/systems/session.ts'
import { optimizerSettings, trainSettings } from '../../src/tasks/settings.ts'
import { trainable } from '../../src/tasks/training.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { RunDirectory } from '../../src/train/run.ts'
import { configFrom } from '../../src/train/settings.ts'
import { readSnapshots } from '../../src/train/snapshots.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-snapshots-'))
beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const x = Float32Array.from({ length: 16 * 4 }, (_, i) => Math.sin(i))
const examples = arrayDataset({ x: { dtype: 'float32', shape: [16, 4], data: x } })

const metrics = { loss: { goal: 'min' } } as const

/** Learns to give back noisy vectors; its pictures are what it makes of noise. `pictures`: whether it takes any. */
const recipeWith = (pictures: boolean) =>
  defineRecipe({
    name: 'noise',
    summary: 'noise',
    config: z.strictObject({
      optimizer: optimizerSettings({ lr: 0.05 }).prefault({}),
      train: trainSettings({ epochs: 2, batch_size: 4, evaluate_every: 2, monitor: ['loss'] }).prefault({}),
    }),
    facts: z.object({}),
    metrics,
    open: async () => ({
      train: examples,
      test: examples,
      facts: {},
      opening: openingOf(['16 vectors'], [], recordWhole('vector', {})),
    }),
    build: (config, _facts, options) => {
      const { score: _score, ...trained } = trainable({
        make: () => new Linear(4, 4),
        config,
        metrics,
        options,
        scalars: (model, batch) => {
          const clean = batch.x as Tensor
          const noisy = ops.add(clean, ops.randomNormal(clean.shape))
          return { loss: ops.mean(ops.square(ops.sub(model.forward(noisy), clean))) }
        },
        evaluator: () => async () => ({ metrics: { loss: 1 } }),
      })
      const sample = compile(() => ops.reshape(trained.model.forward(ops.randomNormal([6, 4])), [6, 1, 2, 2]))
      return {
        ...trained,
        exports: {},
        ...(pictures && {
          snapshot: async () => ({ samples: pictureSheet(picturesOf((await sample()).array), 3) }),
        }),
      }
    },
  })

async function begin(name: string, pictures = true) {
  const path = join(folder, name)
  const recipe = recipeWith(pictures)
  const config = configFrom(recipe.config, [])
  const prepared = await prepareRun(recipe, config, { seed: 3, threads: 1 }, () => undefined)
  const system = defineSystem({ name: 'fake', title: 'Fake', paper: 'none', recipes: [recipe] })
  const options = { seed: 3, threads: 1, tensorboard: false, chosen: config }
  const opened = await startRun(path, { system, recipe }, prepared, options)
  return { path, recipe, opened, data: prepared.data }
}

const reporter = createReporter({ json: true })
const names = (path: string) => readdirSync(join(path, 'snapshots')).sort()
const bytes = (path: string, name: string) => readFileSync(join(path, 'snapshots', name))
const steps = (path: string) =>
  readFileSync(join(path, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"step",'))

test('pictures of each evaluation are files of the run, and in its report in order', async () => {
  const { path, opened, data } = await begin('whole')
  await trainRun(opened, data, reporter)
  expect(names(path)).toEqual([2, 4, 6, 8].map((step) => `samples-0000000${step}.png`))
  const page = readFileSync(join(path, 'report.html'), 'utf8')
  expect(page).toContain('While it trained')
  const captions = [...page.matchAll(/<span>step (\d)<\/span>/g)].map(([, step]) => step)
  expect(captions).toEqual(['2', '4', '6', '8'])
  expect(
    (await readSnapshots(join(path, 'snapshots'))).map(({ picture: { width, height } }) => [width, height]),
  ).toEqual([...Array(4)].map(() => [10, 6]))
})

test('a run that goes on makes the same pictures, and drops those that no checkpoint knows of', async () => {
  const { path, recipe, opened, data } = await begin('resumed')
  await trainRun({ ...opened, run: opened.run.changed({ limits: { steps: 5 } }) }, data, reporter)
  // The evaluation at the end of a shorter run is none of the whole one.
  expect(names(path)).toEqual(['samples-00000002.png', 'samples-00000004.png', 'samples-00000005.png'])
  writeFileSync(join(path, 'snapshots', 'samples-00000007.png'), 'of a run that was killed')
  const run = await RunDirectory.open(path)
  const experiment = recipe.build(configFrom(recipe.config, []), {}, { seed: 3, threads: 1 })
  await trainRun({ ...opened, run: run.changed({ limits: { steps: null } }), experiment }, data, reporter)
  const whole = join(folder, 'whole')
  expect(names(path)).toEqual([2, 4, 5, 6, 8].map((step) => `samples-0000000${step}.png`))
  for (const name of names(whole)) expect(bytes(path, name)).toEqual(bytes(whole, name))
})

test('training is the same with pictures and without', async () => {
  const { path, opened, data } = await begin('without', false)
  await trainRun(opened, data, reporter)
  expect(readdirSync(path)).not.toContain('snapshots')
  expect(readFileSync(join(path, 'report.html'), 'utf8')).not.toContain('While it trained')
  expect(steps(path)).toEqual(steps(join(folder, 'whole')))
})

test('a damaged picture is left out', async () => {
  const damaged = join(folder, 'whole', 'snapshots')
  writeFileSync(join(damaged, 'samples-00000004.png'), 'no picture')
  expect((await readSnapshots(damaged)).map(({ step }) => step)).toEqual([2, 6, 8])
})
