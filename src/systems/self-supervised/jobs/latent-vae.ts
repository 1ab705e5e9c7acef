/** A VAE: R(z) is beta times the KL divergence. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import type { Dataset, PictureFields } from '../../../data/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Picture } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { manualSeed, RandomState } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { VAE } from '../methods/vae.ts'
import type { StudyPictures } from './embedding-runs.ts'
import { type LatentSettings, minimise } from './latent-training.ts'

export const vaeMember = z.strictObject({
  /** Nats per picture: -E log p(x|z), and the KL divergence. */
  error: z.number(),
  kl: z.number(),
  /** Latent variables that say more than 0.01 nats. */
  active: z.number(),
  probe: z.number(),
})
export type VAEMember = z.infer<typeof vaeMember>

const unitRows = (image: Tensor): Tensor => ops.flatten(ops.div(ops.cast(image, 'float32'), 255), 1)

async function trainVAE(
  beta: number,
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<VAE> {
  manualSeed(seed)
  const { z_dim, hidden } = settings
  const model = new VAE({ x_dim: 784, hidden, z_dim, likelihood: 'bernoulli', beta, sigma_x: 1 })
  const noise = (image: Tensor): Tensor => ops.randomNormal([1, sizeOf(image.shape, 0), z_dim])
  await minimise(model, (image) => model.forward(unitRows(image), noise(image)).loss, pictures, settings, seed, threads)
  return model
}

/** What a VAE loses, what its z says, and what its mean is worth. */
export async function scoreVAE(
  beta: number,
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<VAEMember> {
  const model = await trainVAE(beta, pictures, settings, seed, threads)
  const state = new RandomState(0)
  const { test, labelled } = pictures
  const run = compile((image: Tensor) => {
    const { mu, logvar, log_px_z } = model.forward(
      unitRows(image),
      ops.randomNormal([1, sizeOf(image.shape, 0), settings.z_dim], { state }),
    )
    const terms = ops.mul(ops.sub(ops.sub(ops.add(logvar, 1), ops.square(mu)), ops.exp(logvar)), -0.5) // [N, Z]
    return { mu, terms: ops.mean(terms, 0), error: ops.neg(ops.mean(log_px_z)) }
  }, threads)
  const over = async (data: Dataset<PictureFields>) => {
    const rows = Array.from({ length: data.length }, (_, i) => i)
    const { image, label } = await data.batch(rows, { epoch: 0, seed: 0 })
    const { mu, terms, error } = await run(image)
    return {
      features: { features: mu.array, labels: Array.from(label.data, Number) },
      terms: await terms.numbers(),
      error: await error.item(),
    }
  }
  const [known, asked] = [await over(labelled), await over(test)]
  await run.release()
  return {
    error: asked.error,
    kl: asked.terms.reduce((sum, value) => sum + value, 0),
    active: asked.terms.filter((value) => value > 0.01).length,
    probe: await pictures.probe(known.features, asked.features),
  }
}

/** The pictures of a latent variable that goes from -2 to 2. */
export async function traversals(
  beta: number,
  pictures: StudyPictures,
  settings: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<Picture[]> {
  const model = await trainVAE(beta, pictures, settings, seed, threads)
  const values = Array.from({ length: 9 }, (_, i) => (i - 4) / 2)
  const rows = Math.min(4, settings.z_dim)
  const data = new Float32Array(rows * values.length * settings.z_dim)
  for (let row = 0; row < rows; row++)
    for (const [i, value] of values.entries()) data[(row * values.length + i) * settings.z_dim + row] = value
  const run = compile(
    (z: Tensor) => ops.reshape(ops.sigmoid(model.decode(z)), [rows * values.length, 1, 28, 28]),
    threads,
  )
  const found = await run({ dtype: 'float32', shape: [rows * values.length, settings.z_dim], data })
  await run.release()
  return picturesOf(found.array, [0, 1])
}
