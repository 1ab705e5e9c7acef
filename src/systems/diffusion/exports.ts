/** What `tenfold export` writes: the networks that sampling needs, and what the loop around them must know. */
import type { Module } from '../../nn/index.ts'
import type { Exportable } from '../../tasks/define.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { conditioned } from './conditions.ts'
import type { EncoderUNetModel } from './encoder.ts'
import type { UNetModel } from './model.ts'
import type { DiffusionSettings } from './settings.ts'

/** A network with what it was trained for. */
interface Trained<Model extends Module> {
  readonly model: Model
  readonly facts: PictureFacts
  readonly diffusion: DiffusionSettings
}

function inputsOf({ in_channels, image_size }: PictureFacts): Readonly<Record<'x' | 'timesteps', TensorType>> {
  return {
    x: { dtype: 'float32', shape: [1, in_channels, ...image_size] },
    timesteps: { dtype: 'float32', shape: [1] },
  }
}

function metadataOf({ facts, diffusion }: Trained<Module>): Readonly<Record<string, string>> {
  return {
    labels: JSON.stringify(facts.labels),
    diffusion: JSON.stringify(diffusion),
    preprocessing: 'x: noisy pixels, of pictures that are pixel / 127.5 - 1; timesteps: 0 is one step of noise',
  }
}

/** A denoiser to export. */
interface TrainedDenoiser extends Trained<UNetModel> {
  /** Of the small pictures, where the network makes them larger. */
  readonly smallSize?: readonly [height: number, width: number]
}

/**
 * `x`, `timesteps` and, with classes, the label `y`, and of an upsampler the small picture `low_res` -> `output`: the noise and, if it is
 * learned, the variance.
 */
export function exportDenoiser(trained: TrainedDenoiser): Exportable {
  const { model, facts, smallSize } = trained
  model.eval()
  const inputs: Record<string, TensorType> = {
    ...inputsOf(facts),
    ...(smallSize && { low_res: { dtype: 'float32', shape: [1, facts.in_channels, ...smallSize] } }),
    ...(model.label_emb && { y: { dtype: 'int64', shape: [1] } }),
  }
  return {
    inputs,
    // Only inputs that are there are read, but for the labels of a network without classes, which it does not read.
    forward: ({ x, timesteps, low_res: lowRes, y }) => {
      if (!x || !timesteps) throw new ShapeError('exportDenoiser: x and timesteps are needed')
      return { output: conditioned(model)({ labels: y ?? timesteps, lowRes })(x, timesteps) }
    },
    metadata: metadataOf(trained),
  }
}

/** `x`, `timesteps` -> `logits`. */
export function exportNoisyClassifier(trained: Trained<EncoderUNetModel>): Exportable<'x' | 'timesteps'> {
  const { model, facts } = trained
  model.eval()
  return {
    inputs: inputsOf(facts),
    forward: ({ x, timesteps }) => ({ logits: model.forward(x, timesteps) }),
    metadata: metadataOf(trained),
  }
}
