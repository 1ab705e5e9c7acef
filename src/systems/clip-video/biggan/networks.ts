/** The networks of a mini BigGAN in training: the generator that learns, its average that is used, and the discriminator. */
import { init } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { BigGANConfig } from '../config.ts'
import type { BigGANSettings } from '../settings.ts'
import { Discriminator } from './discriminator.ts'
import { BigGAN } from './generator.ts'
import type { TrainedGenerator, TrainedNetwork } from './training.ts'
import { judgedViews } from './views.ts'

/** The generator for 32 x 32 pixels under the official names. */
export function miniBigGAN({ z_dim, channel_width, n_stats, eps }: BigGANSettings, num_classes: number): BigGANConfig {
  return {
    output_dim: 32,
    z_dim,
    class_embed_dim: z_dim,
    channel_width,
    num_classes,
    // The block that keeps the size stands where it costs least.
    layers: [
      [false, 16, 8],
      [true, 8, 4],
      [true, 4, 2],
      [true, 2, 1],
    ],
    attention_layer_position: 2,
    eps,
    n_stats,
  }
}

export interface AdversarialNetworks {
  /** Learns by gradients. */
  readonly trained: BigGAN
  readonly discriminator: Discriminator
  /** The average of `trained`, with standing statistics: draws all pictures that are shown, and is what a run keeps as its model. */
  readonly model: BigGAN
}

/** Builds the networks with new weights; `model` begins as a copy of `trained`. */
export function buildNetworks(settings: BigGANSettings, classes: number): AdversarialNetworks {
  const trained = new BigGAN(miniBigGAN(settings, classes))
  // Of a thousand classes the usual beginning is a hundredth of the noise beside it: they could hardly be told apart.
  init.initialize(trained.embeddings.weight, init.normal)
  const discriminator = new Discriminator({
    D_ch: settings.D_ch,
    D_depth: 1,
    resolution: 64, // four halvings: from 32 pixels to 2
    D_attn: '0',
    n_classes: classes,
    num_D_SVs: 1,
    num_D_SV_itrs: 1,
    SN_eps: 1e-6,
    output_dim: 1,
  })
  const model = new BigGAN(miniBigGAN(settings, classes))
  model.loadStateDict(trained.stateDict())
  return { trained, discriminator, model }
}

/** A BigGAN as the training step calls it: with class numbers, at truncation 1, by the statistics of the batch. */
export function generatorOf(trained: BigGAN): TrainedGenerator {
  const { num_classes } = trained.config
  return {
    forward: (noise: Tensor, labels: Tensor): Tensor =>
      trained.forward(noise, ops.oneHot(labels, num_classes, 'float32'), () => {}),
    parameters: () => trained.parameters(),
    shared: { weight: trained.embeddings.weight },
  }
}

/** A discriminator as the training step calls it; `augment`: it sees random views of all pictures, real ones and new ones. */
export function judgeOf(discriminator: Discriminator, augment: boolean): TrainedNetwork {
  return {
    forward: (images, labels) => discriminator.forward(augment ? judgedViews(images) : images, labels),
    parameters: () => discriminator.parameters(),
  }
}
