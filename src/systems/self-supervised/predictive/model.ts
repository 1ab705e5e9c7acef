/**
 * What learns from single pictures instead of pairs of views: y is predicted from what was left of it (denoising autoencoder, MAE), through a
 * latent variable (VAE, GAN), or gets an energy of its own (energy-based models).
 *
 * Shapes: N pictures [N, C, H, W] with pixels from -1 to 1.
 */
import { Module } from '../../../nn/index.ts'
import type { Exportable } from '../../../tasks/define.ts'
import type { FeatureModel } from '../../../tasks/pictures/features.ts'
import type { StepScalars } from '../../../tasks/training.ts'
import type { RandomState } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'

/** One update of a training step. Networks that play against each other take turns: each later one sees the new weights. */
export interface Turn {
  /** What comes before the names of its scalars, as in `generator_loss`. Default: nothing. */
  readonly name?: string
  readonly parameters: readonly Variable[]
  /** The loss, and what else is shown. pictures [N, C, H, W]; labels int [N], which only a classifier looks at. */
  readonly scalars: (pictures: Tensor, labels: Tensor) => StepScalars
}

/** What a model was given of pictures, and the whole that it makes of it: [N, C, H, W] each. */
export interface Reconstruction {
  readonly seen: Tensor
  readonly drawn: Tensor
}

/** A model of pictures with a representation. */
export abstract class PictureLearner extends Module implements FeatureModel {
  /** The updates of a step, in their order. */
  abstract turns(): readonly Turn[]

  /** The representation that is kept: [N, C, H, W] -> [N, width]. */
  abstract features(pictures: Tensor): Tensor

  /** What held-out pictures come to, as means over them; chance comes from `state`. */
  abstract score(pictures: Tensor, labels: Tensor, state: RandomState): Readonly<Record<string, Tensor>>

  /** What `tenfold export` writes, by name. */
  abstract exports(): Readonly<Record<string, () => Exportable>>

  forward(pictures: Tensor): Tensor {
    return this.features(pictures)
  }

  /** Pictures from chance alone: a first guess, where `refine` follows. */
  draw?(count: number, state: RandomState): Tensor

  /** Pictures that are a little better than those given: sampling calls it many times. `classes`, int [N]: of these, where it `knowsClasses`. */
  refine?(pictures: Tensor, state: RandomState, classes?: Tensor): Tensor

  /** Whether `refine` can be asked for classes. */
  readonly knowsClasses: boolean = false

  /** What the model makes of a part of pictures. */
  reconstruct?(pictures: Tensor, state: RandomState): Reconstruction
}
