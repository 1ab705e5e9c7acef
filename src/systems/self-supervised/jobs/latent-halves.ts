/** A discrete z: the right half of a digit from the left one, with K linear predictions of which z chooses one. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { DataLoader, type Dataset, type PictureFields } from '../../../data/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Figure } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { spreadOf } from '../../study.ts'
import { DiscreteLatent, zeroTemperature } from '../energies/latent.ts'
import type { StudyPictures } from './embedding-runs.ts'
import { type LatentSettings, minimise } from './latent-training.ts'

/** The left and the right half of pictures, at half the resolution: uint8 [N, 1, 28, 28] -> [N, 98] each, from 0 to 1. */
function halves(image: Tensor): readonly [Tensor, Tensor] {
  const [n] = image.sizes(4)
  const small = ops.avgPool2d(ops.div(ops.cast(image, 'float32'), 255), 2) // [N, 1, 14, 14]
  const [left, right] = ops.chunk(small, 2, 3)
  return [ops.reshape(left ?? small, [n, -1]), ops.reshape(right ?? small, [n, -1])]
}

export const discreteMember = z.strictObject({
  /** Mean energy of the true right halves, and of right halves of other pictures. */
  right: z.number(),
  wrong: z.number(),
  /** How often another picture's half has the higher energy. */
  told: z.number(),
  /** Mean energy of the training pictures. */
  trained: z.number(),
})
export type DiscreteMember = z.infer<typeof discreteMember>

/** y is the right half of a digit, x the left one, z one of K values. */
async function trainDiscrete(
  latents: number,
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
) {
  manualSeed(seed)
  const size = 98
  const model = new DiscreteLatent({ x_dim: size, y_dim: size, latents })
  for (const variable of model.parameters())
    variable.set(Float32Array.from(toNumbers(variable.data), (value) => 0.1 * value))
  const energy = (x: Tensor, y: Tensor): Tensor => zeroTemperature(model.forward(x, y)).energy
  await minimise(model, (image) => ops.mean(energy(...halves(image))), pictures, settings, seed, threads)
  return { model, energy }
}

/** Energies of true halves and of other pictures' halves. */
export async function scoreDiscrete(
  latents: number,
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<DiscreteMember> {
  const { energy } = await trainDiscrete(latents, pictures, settings, seed, threads)
  const score = compile((image: Tensor) => {
    const [x, y] = halves(image)
    return { right: energy(x, y), wrong: energy(x, ops.roll(y, 1, 0)) }
  }, threads)
  const over = async (data: Dataset<PictureFields>) => {
    const found = { right: [] as number[], wrong: [] as number[] }
    for await (const { image } of new DataLoader(data, { batchSize: Math.min(500, data.length) })) {
      const { right, wrong } = await score(image)
      found.right.push(...(await right.numbers()))
      found.wrong.push(...(await wrong.numbers()))
    }
    return found
  }
  const [test, train] = [await over(pictures.test), await over(pictures.labelled)]
  await score.release()
  const mean = (values: readonly number[]): number => spreadOf(values).mean
  return {
    right: mean(test.right),
    wrong: mean(test.wrong),
    told: mean(test.right.map((value, i) => Number(value < (test.wrong[i] ?? 0)))),
    trained: mean(train.right),
  }
}

/** What the discrete models predict of a test picture as z goes through its values: a row for each model. */
export async function sweeps(
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<Figure[]> {
  const { image } = await pictures.test.batch([0], { epoch: 0, seed: 0 })
  const figures: Figure[] = []
  for (const latents of [...new Set([settings.values[0], settings.values[Math.floor(settings.values.length / 2)]])]) {
    if (latents === undefined) continue
    const { model } = await trainDiscrete(latents, pictures, settings, seed, threads)
    const shown = Math.min(16, latents)
    const run = compile((one: Tensor) => {
      const [x] = halves(one)
      const right = ops.add(ops.einsum('kyx,nx->nky', model.W, x), model.b) // [1, K, 98]
      const left = ops.expand(ops.unsqueeze(x, 1), right.shape)
      const whole = ops.concat([ops.reshape(left, [latents, 1, 14, 7]), ops.reshape(right, [latents, 1, 14, 7])], 3)
      return ops.slice(whole, [0, shown], 0)
    }, threads)
    const found = picturesOf((await run(image)).array, [0, 1])
    await run.release()
    figures.push({
      kind: 'pictures',
      title: `The right half as z goes through ${shown === latents ? '' : `${shown} of `}its ${latents} ${latents === 1 ? 'value' : 'values'}`,
      pictures: found,
    })
  }
  return figures
}
