import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import { encodePng } from '../../../src/io/png.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { fineTune } from '../../../src/systems/self-supervised/evaluation/fine-tuning.ts'
import { trainProbe } from '../../../src/systems/self-supervised/evaluation/probe.ts'
import type { EmbeddingExperiment } from '../../../src/systems/self-supervised/experiment.ts'
import { taxonomyTable } from '../../../src/systems/self-supervised/explain.ts'
import { recipes } from '../../../src/systems/self-supervised/recipes.ts'
import { randomView, viewFamilies } from '../../../src/systems/self-supervised/views.ts'
import { RandomState } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { FrozenParameters } from '../../../src/train/frozen.ts'
import { Generator } from '../../../src/util/random.ts'
import { barFacts, bars } from './bars.ts'

const facts = barFacts
const small = {
  encoder: { width: 4, layers: [1, 1], stride: 1 },
  probe: { examples: 32, test_examples: 32, k: 5 },
  train: { epochs: 2, batch_size: 16 },
}

function build(recipe: Recipe, settings: object, seed = 1): EmbeddingExperiment {
  const config = recipe.config.parse({ ...small, ...settings })
  return recipe.build(config, facts, { seed }) as unknown as EmbeddingExperiment
}

const sets = { train: bars(64, 1), test: bars(32, 2) }

/** Steps on batches of the training pictures, and what an evaluation then says. */
async function run(experiment: EmbeddingExperiment, steps: number) {
  const { task } = experiment.prepare(sets)
  const losses: number[] = []
  for await (const batch of task.loader) {
    losses.push(await (await task.step(batch)).loss.item())
    if (losses.length === steps) break
  }
  await task.step.release()
  return { losses, metrics: await task.evaluate() }
}

const crops = { views: { local_crops: 1, local_size: 8 } }

/** What a method must be told to run with so few pictures. */
const fitted: Readonly<Record<string, object>> = {
  swav: crops,
  dino: crops,
  pirl: { method: { num_negatives: 8 } },
  deepcluster: { method: { nmb_prototypes: 4 } },
}

describe.each(recipes.map((recipe) => [recipe.name, recipe] as const))('%s', (name, recipe) => {
  test('trains, and says what its embeddings are like', async () => {
    const experiment = build(recipe, fitted[name] ?? {})
    const before = experiment.method.encoder.parameters()[0]?.data.slice()
    const frozen = new FrozenParameters(experiment.weights)
    const { metrics } = await run(experiment, 3)
    expect(experiment.method.encoder.parameters()[0]?.data).not.toEqual(before)
    frozen.check() // moving averages are state, not frozen parameters
    expect(metrics.knn_accuracy).toBeGreaterThanOrEqual(0)
    expect(metrics.spread).toBeGreaterThan(0)
    expect(metrics.rank).toBeGreaterThanOrEqual(1)
    expect(metrics.uniformity).toBeLessThanOrEqual(1e-6)
    expect(Object.keys(metrics).toSorted()).toEqual(
      ['alignment', 'knn_accuracy', 'knn_pixels', 'rank', 'spread', 'std', 'uniformity'].toSorted(),
    )
  })
})

const recipe = (name: string): Recipe => {
  const found = recipes.find((each) => each.name === name)
  if (!found) throw new Error(`no recipe ${name}`)
  return found
}

describe('settings', () => {
  test.each([
    ['moco', { method: { K: 40 } }, 'method.K must be a multiple of train.batch_size, found 40 and 16'],
    [
      'swav',
      { method: { queue_length: 8 } },
      'method.queue_length must be 0 or at least train.batch_size, found 8 and 16',
    ],
    ['byol', crops, 'views.local_crops must be 0 for byol, which compares two views, found 1'],
    [
      'dino',
      { ...crops, encoder: { name: 'mlp' } },
      'views.local_crops needs an encoder for pictures of any size, found mlp',
    ],
    [
      'pirl',
      { encoder: { name: 'vit', patch_size: 4 } },
      'method.pretext jigsaw needs an encoder for pictures of any size, found vit',
    ],
    [
      'barlow-twins',
      { train: { batch_size: 1 } },
      'train.batch_size must be at least 2 for a joint embedding, found 1',
    ],
    ['deepcluster', {}, 'method.nmb_prototypes must be at most the 64 training pictures, found 100'],
  ])('%s %j', (name, settings, message) => {
    expect(() => build(recipe(name), settings)).toThrow(message)
  })

  test('one picture to test with is told before the training', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenfold-two-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await Promise.all([mkdir(join(folder, 'train')), mkdir(join(folder, 'test'))])
    for (const [name, shade] of Object.entries({ 'train/a': 10, 'train/b': 90, 'test/c': 200 }))
      await writeFile(join(folder, `${name}.png`), encodePng(new Uint8Array(64).fill(shade), 8, 8, 1))
    const simclr = recipe('simclr')
    const opened = simclr.open(simclr.config.parse({ data: { folder } }) as never, {} as never)
    await expect(opened).rejects.toThrow('data: there must be at least 2 pictures to test with, found 1')
  })

  test('an average of the weights is no setting: methods have their own', () => {
    expect(() => build(recipe('byol'), { optimizer: { ema_decay: 0.9 } })).toThrow('ema_decay')
  })
})

describe('views', () => {
  const pictures = (channels: number): Tensor =>
    constant(Float32Array.from(new Generator(1).uniform(4 * channels * 144)), [4, channels, 12, 12], 'float32')

  test.each(Object.keys(viewFamilies) as (keyof typeof viewFamilies)[])('%s keeps the range', async (family) => {
    for (const channels of [1, 3]) {
      const state = new RandomState(3)
      const draw = compile((x: Tensor) => viewFamilies[family].map((options) => randomView(x, options, { state })))
      for (const view of await draw(pictures(channels))) {
        expect(view.shape).toEqual([4, channels, 12, 12])
        const values = await view.numbers()
        expect(Math.min(...values)).toBeGreaterThanOrEqual(-1e-6)
        expect(Math.max(...values)).toBeLessThanOrEqual(1 + 1e-6)
      }
      await draw.release()
    }
  })

  test('the family without changes gives the picture itself', () => {
    const x = pictures(1)
    expect(randomView(x, viewFamilies.none[0])).toBe(x)
  })

  test('a seed gives the same views, another call others', async () => {
    const views = async (seed: number): Promise<number[][]> => {
      const state = new RandomState(seed)
      const draw = compile((x: Tensor) => randomView(x, viewFamilies.simclr[0], { state }))
      const found = [await (await draw(pictures(3))).numbers(), await (await draw(pictures(3))).numbers()]
      await draw.release()
      return found
    }
    const [a, b, c] = [await views(1), await views(1), await views(2)]
    expect(a).toEqual(b)
    expect(a[0]).not.toEqual(a[1])
    expect(a[0]).not.toEqual(c[0])
  })
})

test('a linear probe learns classes that a line parts', async () => {
  const random = new Generator(4)
  const side = (count: number) => {
    const labels = Array.from({ length: count }, (_, i) => i % 2)
    const data = Float32Array.from(
      labels.flatMap((label) => [4 * label - 2, 0].map((m) => m + Number(random.normal(1)[0]))),
    )
    return { features: { dtype: 'float32' as const, shape: [count, 2], data }, labels }
  }
  const accuracy = await trainProbe(side(40), side(100), { steps: 60, batch_size: 20, lr: 0.5, seed: 0, classes: 2 })
  expect(accuracy).toBeGreaterThan(0.9)
})

test('the README has the taxonomy that the methods declare', () => {
  const readme = readFileSync(new URL('../../../src/systems/self-supervised/README.md', import.meta.url), 'utf8')
  const { columns, rows } = taxonomyTable()
  const line = (cells: readonly (string | number)[]): string =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
  for (const row of [columns, ...rows]) expect(readme).toContain(line(row))
})

test('what needs classes is proposed where there are some', () => {
  const fitting = (labels: readonly string[]): string[] =>
    Object.entries(recipes[0]?.uses ?? {}).flatMap(([name, { fits }]) =>
      (fits?.({ facts: { ...barFacts, labels } } as unknown as EmbeddingExperiment) ?? true) ? [name] : [],
    )
  expect(fitting(barFacts.labels)).toEqual(expect.arrayContaining(['probe', 'finetune', 'nearest']))
  expect(fitting([])).not.toEqual(expect.arrayContaining(['probe']))
  expect(fitting([])[0]).toBe('nearest')
})

test('a ViT is an encoder too', async () => {
  const vit = { name: 'vit', patch_size: 4, embed_dim: 8, depth: 1, num_heads: 2 }
  const { losses } = await run(build(recipe('moco'), { encoder: vit, method: { K: 32 } }), 2)
  expect(losses.every(Number.isFinite)).toBe(true)
})

test('PIRL with rotations needs no encoder for pictures of any size', async () => {
  const settings = { encoder: { name: 'mlp', hidden: [8] }, method: { pretext: 'rotation', num_negatives: 4 } }
  const { losses } = await run(build(recipe('pirl'), settings), 2)
  expect(losses.every(Number.isFinite)).toBe(true)
})

test('fine-tuning leaves the model as it was', async () => {
  const experiment = build(recipe('simclr'), {})
  const before = [...experiment.model.stateDict()].map(([name, { data }]) => [name, [...data]])
  const options = { classes: 2, seed: 0, steps: 3, batch_size: 8, lr: 1e-3 }
  const accuracy = await fineTune(experiment.model, experiment.untrained, bars(16, 3), sets.test, options)
  expect(accuracy).toBeGreaterThanOrEqual(0)
  expect([...experiment.model.stateDict()].map(([name, { data }]) => [name, [...data]])).toEqual(before)
})

test('embeddings of the evaluation do not move the training on', async () => {
  const losses = async (evaluations: number): Promise<number[]> => {
    const experiment = build(recipe('simclr'), {})
    const { task } = experiment.prepare(sets)
    for (let i = 0; i < evaluations; i++) await task.evaluate()
    return (await run(experiment, 2)).losses
  }
  expect(await losses(2)).toEqual(await losses(0))
})

test('the exported encoder gives representation and embedding', async () => {
  const experiment = build(recipe('barlow-twins'), {})
  const { forward } = experiment.exports.encoder?.() ?? {}
  const run = compile((image: Tensor) => forward?.({ image }) ?? { image })
  const { image } = await sets.test.batch([0, 1], { epoch: 0, seed: 0 })
  const { representation, embedding } = await run(image)
  expect(representation?.shape).toEqual([2, 8])
  expect(embedding?.shape).toEqual([2, 256])
  await run.release()
})
