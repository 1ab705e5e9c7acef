/** Denoising autoencoder (Vincent et al. 2008; 2010): the clean input is predicted from a corrupted one. */
import { init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import type { Declaration } from '../config.ts'

export const denoisingAutoencoder = {
  name: 'denoising-autoencoder',
  title: 'Denoising autoencoder',
  paper: 'Vincent et al. 2010, JMLR 11',
  architecture: 'predictive',
  remedy: 'contrastive',
  energy: '|y - r(x)|^2',
  loss: 'the energy of the clean input given the corrupted one',
  collapse: 'corrupted inputs are led back to clean ones: their energy as their own reconstruction is high',
} as const satisfies Declaration

/** The names of the reference cases. */
export interface DenoisingConfig {
  readonly x_dim: number
  readonly hidden: number
  /** Standard deviation of Gaussian noise. */
  readonly sigma: number
  /** Whether the decoder's matrix is the encoder's transposed. */
  readonly tied_weights: boolean
  /** gaussian: x + sigma noise; mask: x noise, with noise of zeros and ones. */
  readonly corruption: 'gaussian' | 'mask'
}

/** What a step computes. */
export interface DenoisingStep {
  readonly corrupted: Tensor
  readonly reconstruction: Tensor
  /** Squared errors against the clean input, summed over dimensions, the mean over the batch. */
  readonly loss: Tensor
  /** (r(x) - x) / sigma^2 at the corrupted inputs: the gradient of the log density (Alain and Bengio 2014). */
  readonly score: Tensor
}

/** A map that has a bias alone: the matrix is another layer's. */
class TiedDecoder extends Module {
  readonly bias: Variable
  readonly #encoder: Linear

  constructor(encoder: Linear) {
    super()
    this.#encoder = encoder
    this.bias = init.parameter([encoder.inFeatures], init.zeros)
  }

  forward(h: Tensor): Tensor {
    return ops.add(ops.matmul(h, this.#encoder.weight), this.bias)
  }
}

/** r(x) = dec(tanh(enc x)). */
export class DenoisingAutoencoder extends Module {
  readonly enc: Linear
  readonly dec: Linear | TiedDecoder
  readonly #config: DenoisingConfig

  constructor(config: DenoisingConfig) {
    super()
    this.enc = new Linear(config.x_dim, config.hidden)
    this.dec = config.tied_weights ? new TiedDecoder(this.enc) : new Linear(config.hidden, config.x_dim)
    this.#config = config
  }

  /** The code of an input: [N, hidden]. */
  features(x: Tensor): Tensor {
    return ops.tanh(this.enc.forward(x))
  }

  /** x, noise [N, x_dim]. */
  forward(x: Tensor, noise: Tensor): DenoisingStep {
    const { corruption, sigma } = this.#config
    const corrupted = corruption === 'mask' ? ops.mul(x, noise) : ops.add(x, ops.mul(noise, sigma))
    const reconstruction = this.dec.forward(this.features(corrupted))
    const loss = ops.div(ops.sum(ops.square(ops.sub(reconstruction, x))), sizeOf(x.shape, 0))
    return { corrupted, reconstruction, loss, score: ops.div(ops.sub(reconstruction, corrupted), sigma ** 2) }
  }
}
