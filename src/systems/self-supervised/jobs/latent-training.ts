/** What the parts of the study of latent variables share: their settings, and training by a loss of pictures. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { DataLoader } from '../../../data/index.ts'
import type { Module } from '../../../nn/index.ts'
import { Adam, cosineAnnealingLR } from '../../../optim/index.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { type StudyPictures, studyPictureSettings } from './embedding-runs.ts'

export const latentSettings = z.strictObject({
  values: z.array(whole).min(1).default([1, 2, 4, 8, 16, 32, 64, 128]).describe('of a discrete z: how many it has'),
  betas: z
    .array(z.number().min(0))
    .min(1)
    .default([0, 0.1, 0.3, 1, 3, 10, 30])
    .describe('of a VAE: weight of the KL divergence; the greater, the less z may say'),
  z_dim: whole.default(10).describe('latent variables of the VAE'),
  hidden: whole.default(256).describe('width of its hidden layers'),
  seeds: whole.default(3).describe('trainings of each model'),
  steps: whole.default(600).describe('steps of a training'),
  batch_size: whole.default(128).describe('pictures in a step'),
  lr: z.number().positive().default(2e-3).describe('learning rate of Adam, which falls along half a cosine'),
  data: studyPictureSettings.prefault({}),
})
export type LatentSettings = z.infer<typeof latentSettings>

/** Trains whatever minimises a loss of uint8 pictures. */
export async function minimise(
  module: Module,
  loss: (image: Tensor) => Tensor,
  { train }: StudyPictures,
  { steps, batch_size, lr }: LatentSettings,
  seed: number,
  threads: ThreadOptions,
): Promise<void> {
  const optimizer = new Adam(module.parameters(), { lr: cosineAnnealingLR(lr, { tMax: steps }) })
  const step = compile((image: Tensor) => void optimizer.minimize(loss(image)), threads)
  const batchSize = Math.min(batch_size, train.length)
  const loader = new DataLoader(train, { batchSize, shuffle: true, seed, dropLast: true })
  module.train()
  for (let done = 0; done < steps; )
    for await (const { image } of loader) {
      await step(image)
      if (++done >= steps) break
    }
  await step.release()
}
