/** One training step of a mini BigGAN: the discriminator learns where it is asked, then the generator. */
import type { BatchTensors } from '../../../data/dataset.ts'
import * as ops from '../../../ops/index.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { StepResult } from '../../../train/loop.ts'
import type { GradientSettings } from '../settings.ts'
import type { ClassFields } from './classes.ts'
import { artistNoise, trainToRedraw } from './redraw.ts'
import {
  type Labelled,
  type Latents,
  type TrainedGenerator,
  type TrainedNetwork,
  trainDiscriminator,
  trainGenerator,
  type Updater,
} from './training.ts'

/** What a step changes, and how. */
export interface StepParts {
  readonly generator: TrainedGenerator
  readonly judge: TrainedNetwork
  /** Of the generator and of the discriminator. */
  readonly optimizers: { readonly byG: Updater['optimizer']; readonly byD: Updater['optimizer'] }
  readonly rates: GradientSettings
  readonly z_dim: number
  readonly classes: number
  /** Artists that a noise may mean. */
  readonly artists: number
}

/** Inside a traced step: records the updates for a batch and returns what is reported of it, as `adversarialMetrics` names it. */
export function adversarialStep(parts: StepParts, { image, label, style }: BatchTensors<ClassFields>): StepResult {
  const real: Labelled = { images: normalizePixels(image), classes: ops.cast(label, 'int64') }
  const judged = parts.rates.adversarial > 0 ? discriminatorStep(parts, real) : undefined
  const made = parts.rates.redraw > 0 ? redrawStep(parts, real, style) : generatorStep(parts, real)
  return { ...made, ...judged }
}

/** Noise with classes at random, as many as there are real pictures. */
function latentsFor({ z_dim, classes }: StepParts, real: Labelled): Latents {
  const [count] = real.classes.sizes(1)
  return {
    noise: ops.randomNormal([count, z_dim]),
    classes: ops.randomIntegers([count], 0, classes),
  }
}

function discriminatorStep(parts: StepParts, real: Labelled) {
  const { generator, judge, optimizers } = parts
  const judged = trainDiscriminator(
    generator,
    judge,
    { latents: latentsFor(parts, real), real },
    { optimizer: optimizers.byD, orthogonality: 0 },
  )
  return {
    d_loss: ops.add(judged.losses.real, judged.losses.fake),
    real: ops.mean(judged.real),
    fake: ops.mean(judged.fake),
  }
}

/** The generator repeats the drawings of the batch. */
function redrawStep(parts: StepParts, real: Labelled, style: Tensor) {
  const { generator, judge, artists, rates } = parts
  const noise = artistNoise(latentsFor(parts, real).noise, style, artists)
  const { loss, unlike } = trainToRedraw(generator, judge, { ...real, noise }, updaterOf(parts), rates)
  return { loss, unlike }
}

/** The generator learns to be taken for real. */
function generatorStep(parts: StepParts, real: Labelled) {
  const { loss } = trainGenerator(parts.generator, parts.judge, latentsFor(parts, real), updaterOf(parts))
  return { loss }
}

function updaterOf({ optimizers, rates }: StepParts): Updater {
  return { optimizer: optimizers.byG, orthogonality: rates.ortho }
}
