/** Trains the GAN that diffusion is compared with, as long as the denoiser was trained. */
import { z } from 'zod'
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import type { BatchTensors, PictureFields } from '../../../data/index.ts'
import { DataLoader } from '../../../data/loader.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, averageInto } from '../../../optim/index.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Discriminator, Generator, latentSize } from './gan-networks.ts'
import { keptNetwork, type Told } from './kept-networks.ts'
import { keeperOf, type StudyParts } from './networks.ts'

/** Settings of the GAN, to be spread into a job's. */
export const ganSettings = {
  channels: whole.default(30).describe('of the generator: 30 makes it as large as the denoiser of these settings'),
  discriminator_channels: whole.default(48).describe('channels of the discriminator'),
  gan_lr: z.number().positive().default(2e-3).describe("learning rate of both networks of the GAN: the denoiser's"),
  gan_penalty: z
    .number()
    .min(0)
    .default(1)
    .describe(
      "weight of the discriminator's squared gradient by real pictures (R1); 0: none, and the GAN soon draws one picture of each class",
    ),
  most_steps: whole.default(100_000).describe('of the GAN, which is trained for as many seconds as the denoiser'),
}
export type GanSettings = z.infer<z.ZodObject<typeof ganSettings>>

/** A trained generator, of averaged weights as the denoiser's. */
export interface TrainedGan {
  readonly generator: Generator
  readonly told: Told
  readonly parameters: number
}

interface GanNetworks {
  readonly generator: Generator
  readonly averaged: Generator
  readonly discriminator: Discriminator
}

/**
 * The step of each network: the loss that does not saturate (Goodfellow et al. 2014), -log D(x) - log(1 - D(G(z))) and -log D(G(z)), with the
 * penalty R1, gamma / 2 |grad D(x)|^2 at real pictures (Mescheder et al. 2018).
 */
function stepsOf({ generator, averaged, discriminator }: GanNetworks, settings: GanSettings, parts: StudyParts) {
  const { gan_lr: lr, gan_penalty } = settings
  const { context, training } = parts
  const options = threadOptions(context)
  const adam = { lr, betas: [0.5, 0.99] } as const
  const ofGenerator = new Adam(generator.parameters(), adam)
  const ofDiscriminator = new Adam(discriminator.parameters(), adam)
  const average = averageInto(averaged.variables(), generator.variables(), training.ema_decay)
  const made = (labels: Tensor): Tensor =>
    generator.forward(ops.randomNormal([sizeOf(labels.shape, 0), latentSize]), labels)
  const judge = compile(({ image, label }: BatchTensors<PictureFields>) => {
    const [x, labels] = [normalizePixels(image), ops.cast(label, 'int64')]
    const real = discriminator.forward(x, labels) // [B]
    const fake = discriminator.forward(ops.stopGradient(made(labels)), labels)
    const doubt = ops.add(ops.mean(ops.softplus(ops.neg(real))), ops.mean(ops.softplus(fake)))
    const penalty = (): Tensor => {
      const [slope] = gradient(ops.sum(real), [x])
      return ops.mul(ops.mean(ops.sum(ops.square(slope), [1, 2, 3])), gan_penalty / 2)
    }
    const loss = gan_penalty === 0 ? doubt : ops.add(doubt, penalty())
    ofDiscriminator.minimize(loss)
    return { loss }
  }, options)
  const make = compile(({ label }: Pick<BatchTensors<PictureFields>, 'label'>) => {
    const labels = ops.cast(label, 'int64')
    const loss = ops.mean(ops.softplus(ops.neg(discriminator.forward(made(labels), labels))))
    ofGenerator.minimize(loss)
    average.update()
    return { loss }
  }, options)
  return { judge, make }
}

/** Steps of both in turn, for so many seconds. */
async function trainGan(
  networks: GanNetworks,
  seconds: number,
  settings: GanSettings,
  parts: StudyParts,
): Promise<Told> {
  const { pictures, training, context } = parts
  const { most_steps } = settings
  const { judge, make } = stepsOf(networks, settings, parts)
  const { batch_size: batchSize } = training
  const loader = new DataLoader(pictures.train, { batchSize, shuffle: true, seed: context.seed, dropLast: true })
  const start = performance.now()
  const spent = (): number => (performance.now() - start) / 1000
  let [steps, said] = [0, 0]
  while (steps < most_steps && spent() < seconds) {
    for await (const { image, label } of loader) {
      context.signal?.throwIfAborted()
      await judge({ image, label })
      await make({ label })
      steps++
      if (steps >= most_steps || spent() >= seconds) break
      if (spent() - said > 20) {
        said = spent()
        context.progress(`gan: step ${steps}, ${said.toFixed(0)} of ${seconds.toFixed(0)} s`, { part: 'gan', steps })
      }
    }
  }
  await Promise.all([judge.release(), make.release()])
  return { steps, seconds: spent() }
}

/** The GAN of a study, trained for so many seconds, or as it was kept. */
export async function trainedGan(seconds: number, settings: GanSettings, parts: StudyParts): Promise<TrainedGan> {
  const { pictures, context, training } = parts
  const { channels, discriminator_channels, gan_lr, gan_penalty, most_steps } = settings
  const { batch_size, ema_decay } = training
  manualSeed(context.seed)
  const generator = new Generator(pictures.facts, channels)
  const averaged = new Generator(pictures.facts, channels)
  const discriminator = new Discriminator(pictures.facts, discriminator_channels)
  const told = await keptNetwork(
    {
      name: 'networks/gan',
      identity: {
        seconds,
        channels,
        discriminator_channels,
        gan_lr,
        gan_penalty,
        most_steps,
        batch_size,
        ema_decay,
        data: pictures.identity,
      },
      weights: averaged.variables(),
      train: () => trainGan({ generator, averaged, discriminator }, seconds, settings, parts),
    },
    keeperOf(parts),
  )
  return { generator: averaged, told, parameters: averaged.parameters().reduce((sum, { size }) => sum + size, 0) }
}
