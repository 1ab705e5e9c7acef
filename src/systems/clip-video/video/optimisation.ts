/** A line becomes a picture: latents are changed until random cutouts of what they generate look like the text to CLIP. */
import { init, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { Adam, type AdamOptions } from '../../../optim/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Variable } from '../../../tensor/variable.ts'
import { clipView, cutOut } from './cutouts.ts'
import { type VideoLossOptions, videoLosses } from './losses.ts'

/** What is optimised for one line: noise, and logits of classes. The generator sees their sigmoid, which need not sum to 1. */
export class VideoLatents extends Module {
  readonly normu: Variable
  readonly cls: Variable

  constructor(rows: number, noise: number, classes: number) {
    super()
    this.normu = init.parameter([rows, noise], init.normal)
    this.cls = init.parameter([rows, classes], (shape) => init.normal(shape, { mean: -3.9, std: 0.3 }))
  }

  forward(): { readonly latents: Tensor; readonly classes: Tensor } {
    return { latents: this.normu.value, classes: ops.sigmoid(this.cls) }
  }
}

/** What one step needs besides the latents. */
export interface StepInputs {
  /** The text's features, [1, E]. */
  readonly text: Tensor
  /** Of `cutoutPlaces`: [N, A]. */
  readonly places: Tensor
  /** [N, 3, a, a] */
  readonly noise: Tensor
}

/** How the step is made. */
export interface StepOptions extends VideoLossOptions {
  /** Latents [R, Z] and class vectors [R, K] to one picture [1, 3, S, S], -1 to 1. */
  readonly generate: (latents: Tensor, classes: Tensor) => Tensor
  /** Pictures as CLIP takes them [N, 3, a, a] to features [N, E]. */
  readonly see: (pictures: Tensor) => Tensor
  /** Strength of the noise. Default: 0.01649. */
  readonly noiseStrength?: number
}

/** Inside a traced step: the losses of the latents. `classes` are those that the picture was made of. */
export function lineLosses(latents: VideoLatents, inputs: StepInputs, options: StepOptions) {
  const state = latents.forward()
  const picture = options.generate(state.latents, state.classes)
  const views = clipView(cutOut(picture, inputs.places), inputs.noise, options.noiseStrength)
  const losses = videoLosses({ ...state, text: inputs.text, cutouts: options.see(views) }, options)
  return { ...state, picture, losses }
}

/** The published optimiser of a line: Adam, learning rate 0.1. */
export function lineOptimizer(latents: VideoLatents, options: Partial<AdamOptions> = {}): Adam {
  return new Adam(latents.parameters(), { lr: 0.1, ...options })
}
