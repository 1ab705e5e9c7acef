import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/compile/compile.ts'
import * as ops from '../../../src/ops/index.ts'
import type { Recipe } from '../../../src/systems/define.ts'
import { ReplayBuffer } from '../../../src/systems/self-supervised/methods/contrastive-divergence.ts'
import { MaskedAutoencoderViT, maeVariants } from '../../../src/systems/self-supervised/methods/mae.ts'
import { drawer, reconstructor } from '../../../src/systems/self-supervised/predictive/drawing.ts'
import type { PictureEnergy } from '../../../src/systems/self-supervised/predictive/energy-model.ts'
import type { LearnerExperiment } from '../../../src/systems/self-supervised/predictive/experiment.ts'
import { learnerRecipes } from '../../../src/systems/self-supervised/predictive/recipes.ts'
import { manualSeed } from '../../../src/tensor/random-state.ts'
import { constant, type Tensor } from '../../../src/tensor/tensor.ts'
import { Generator } from '../../../src/util/random.ts'
import { barFacts, bars } from './bars.ts'

const sets = { train: bars(64, 1), test: bars(32, 2) }
const { examples: _examples, ...facts } = barFacts

/** Sizes that a test can afford. */
const tiny: Readonly<Record<string, object>> = {
  'denoising-autoencoder': { hidden: 16 },
  mae: { embed_dim: 8, depth: 1, num_heads: 2, decoder_embed_dim: 8, decoder_num_heads: 2 },
  vae: { hidden: 16, z_dim: 3 },
  gan: { z_dim: 4, generator_width: 4, critic_width: 4, hidden: 8 },
  energy: { width: 4, hidden: 8, n_steps: 2, buffer_size: 32 },
  jem: { width: 4, hidden: 8, n_steps: 2, buffer_size: 32 },
}

function build(recipe: Recipe, settings: Readonly<Record<string, unknown>> = {}): LearnerExperiment {
  const { model = {}, ...rest } = settings
  const config = recipe.config.parse({
    probe: { examples: 32, test_examples: 32, k: 5 },
    train: { epochs: 2, batch_size: 16 },
    ...rest,
    model: { ...tiny[recipe.name], ...(model as object) },
  })
  return recipe.build(config, facts, { seed: 1 }) as unknown as LearnerExperiment
}

const recipe = (name: string): Recipe => {
  const found = learnerRecipes.find((each) => each.name === name)
  if (!found) throw new Error(`no recipe ${name}`)
  return found
}

/** Steps on the training pictures; the scalars of each. */
async function run(experiment: LearnerExperiment, steps: number): Promise<Record<string, number>[]> {
  const { task } = experiment.prepare(sets)
  const shown: Record<string, number>[] = []
  while (shown.length < steps)
    for await (const batch of task.loader) {
      const found = Object.entries(await task.step(batch))
      shown.push(
        Object.fromEntries(await Promise.all(found.map(async ([name, value]) => [name, await value.item()] as const))),
      )
      if (shown.length === steps) break
    }
  await task.step.release()
  return shown
}

describe.each(learnerRecipes.map((each) => [each.name, each] as const))('%s', (_name, own) => {
  test('trains, measures itself, shows pictures and can be exported', async () => {
    const experiment = build(own)
    const before = experiment.model.parameters().map(({ data }) => [...data])
    const shown = await run(experiment, 2)
    for (const scalars of shown) expect(Object.values(scalars).every(Number.isFinite)).toBe(true)
    const after = experiment.model.parameters().map(({ data }) => [...data])
    expect(after.filter((values, i) => values.some((value, k) => value !== before[i]?.[k])).length).toBeGreaterThan(
      after.length / 2,
    )
    const data = { ...sets, facts, opening: undefined as never }
    const metrics = await experiment.evaluate(data)
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['knn_accuracy', 'knn_pixels']))
    for (const name of Object.keys(metrics)) expect(Object.keys(own.metrics)).toContain(name)
    for (const name of Object.keys(shown[0] ?? {})) expect(Object.keys(own.metrics)).toContain(name)
    const pictures = await experiment.snapshot?.(data)
    expect(Object.keys(pictures ?? {}).length).toBeGreaterThan(0)
    for (const make of Object.values(experiment.exports)) {
      const { inputs, forward } = make()
      const [[input, { dtype, shape }] = ['', { dtype: 'float32' as const, shape: [1] }]] = Object.entries(inputs)
      const run = compile((x: Tensor) => forward({ [input]: x }))
      const size = shape.reduce((product, side) => product * side, 1)
      const zeros = dtype === 'uint8' ? new Uint8Array(size) : new Float32Array(size)
      for (const value of Object.values(await run({ dtype, shape, data: zeros })))
        expect((await value.numbers()).every(Number.isFinite)).toBe(true)
      await run.release()
    }
  })
})

describe('learning', () => {
  test('a VAE fits what it sees better with every step', async () => {
    const losses = (await run(build(recipe('vae'), { optimizer: { lr: 0.02 } }), 12)).map(
      ({ loss = Number.NaN }) => loss,
    )
    expect(losses.at(-1)).toBeLessThan(0.9 * (losses[0] ?? 0))
  })

  test('an energy falls where the data are, and rises where its chains are', async () => {
    const experiment = build(recipe('energy'), { optimizer: { lr: 0.01, warmup_share: 0 } })
    const last = (await run(experiment, 16)).at(-1)
    expect(last?.energy_real).toBeLessThan(last?.energy_drawn ?? 0)
  })

  test('of a GAN both networks learn, in turns, with second derivatives in the penalties', async () => {
    for (const model of [{ penalty: 'r1' }, { penalty: 'gradient', game: 'wgan', critic_steps: 2 }]) {
      const [first] = await run(build(recipe('gan'), { model }), 1)
      expect(Object.keys(first ?? {})).toEqual(expect.arrayContaining(['penalty', 'generator_loss', 'energy_real']))
      expect(first?.penalty).toBeGreaterThan(0)
    }
  })
})

describe('pictures', () => {
  test('samples follow from the seed', async () => {
    const draw = drawer(build(recipe('vae')).model, {})
    const pictures = async (seed: number) => [...((await draw?.({ count: 2, rounds: 0, seed }))?.data ?? [])]
    expect(await pictures(1)).toEqual(await pictures(1))
    expect(await pictures(1)).not.toEqual(await pictures(2))
  })

  test('JEM draws a class: its energy given the class falls, and only a model with classes can be asked', async () => {
    const { model } = build(recipe('jem'), { model: { sgld_lr: 1, sgld_std: 0 } })
    const draw = drawer(model, {})
    const energyOf = compile((x: Tensor) =>
      (model as PictureEnergy).energy(x, constant(Int32Array.of(1, 1), [2], 'int32')),
    )
    const energies = await Promise.all(
      [0, 3].map(async (rounds) => {
        const drawn = await draw?.({ count: 2, rounds, seed: 1, classNumber: 1 })
        return drawn ? await (await energyOf(drawn)).numbers() : []
      }),
    )
    for (const i of [0, 1]) expect(energies[1]?.[i]).toBeLessThan(energies[0]?.[i] ?? 0)
    expect(build(recipe('energy')).model.knowsClasses).toBe(false)
    await energyOf.release()
  })

  test('MAE: what is seen stays as it is, hidden patches are grey', async () => {
    const reconstruct = reconstructor(build(recipe('mae')).model, {})
    const { image } = await sets.test.batch([0], { epoch: 0, seed: 0 })
    const found = await reconstruct?.(image, 0)
    const [seen, drawn] = [[...(found?.seen.data ?? [])].map(Number), [...(found?.drawn.data ?? [])].map(Number)]
    const visible = seen.map((value, i) => [value, drawn[i]] as const).filter(([value]) => value !== 0)
    expect(visible.length).toBe(2 * 16) // int(9 * 0.25) patches of 4 x 4
    for (const [value, same] of visible) expect(same).toBeCloseTo(value, 5)
  })

  test('MAE: standardised predictions become pixels again', async () => {
    const config = {
      ...maeVariants.mae_vit_base_patch16,
      img_size: 8,
      patch_size: 4,
      depth: 0,
      decoder_depth: 0,
      embed_dim: 8,
      in_chans: 1,
    }
    const mae = new MaskedAutoencoderViT({ ...config, decoder_embed_dim: 8, norm_pix_loss: true })
    const picture = constant(Float32Array.from(new Generator(1).uniform(64)), [1, 1, 8, 8], 'float32')
    const patches = mae.patchify(picture)
    const [variance, mean] = ops.varMean(patches, -1, { keepDims: true })
    const standardised = ops.div(ops.sub(patches, mean), ops.sqrt(ops.add(variance, 1e-6)))
    const back = await ops.sub(mae.toPixels(standardised, picture), patches).numbers()
    expect(Math.max(...back.map(Math.abs))).toBeLessThan(1e-5)
  })
})

test('chains go on where they were, and a share of them begins anew', async () => {
  manualSeed(1)
  const still = { sgld_lr: 0.5, sgld_std: 0, n_steps: 1, buffer_size: 8, reinit_freq: 0 }
  const buffer = new ReplayBuffer(still, [2])
  const before = [...buffer.samples.data].map(Number)
  const sample = compile((like: Tensor) => buffer.sample((x) => ops.sum(ops.square(x), 1), like.shape[0] ?? 1))
  const chains = await (await sample(constant(new Float32Array(4), [4], 'float32'))).numbers()
  expect(chains).toEqual(new Array<number>(8).fill(0)) // one step of gradient descent with lr 1/2 on x^2 ends at 0
  const after = [...buffer.samples.data].map(Number)
  expect(after.filter((value) => value === 0).length).toBeGreaterThanOrEqual(2)
  expect(after.some((value, i) => value === before[i])).toBe(true)
  await sample.release()
})

test('what does not fit is one line', () => {
  const odd = { ...facts, image_size: [10, 12] as [number, number] }
  const made = (name: string) => () =>
    recipe(name).build(recipe(name).config.parse({ model: tiny[name] }), odd, { seed: 1 })
  expect(made('gan')).toThrow('gan: sides of pictures must be multiples of 4, found 10 x 12')
  expect(made('mae')).toThrow('mae: pictures must be square, found 10 x 12')
})
