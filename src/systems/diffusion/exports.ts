/** What `tenfold export` writes: the networks that sampling needs, and what the loop around them must know. */
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Exportable } from '../../tasks/define.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { TensorType } from '../../tensor/tensor.ts'
import { ShapeError } from '../../util/errors.ts'
import { conditioned } from './conditions.ts'
import type { EncoderUNetModel } from './encoder.ts'
import { GaussianDiffusion } from './gaussian-diffusion.ts'
import type { UNetModel } from './model.ts'
import { respacingOf } from './sample/sampler.ts'
import { type DiffusionSettings, processConfig } from './settings.ts'

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

/** Steps of DDIM in an exported sampler: each is a run of the network, one after the other in the same file. */
const pictureSteps = 10

/**
 * Sampling as one network: `noise` [1, C H W] and, with classes, `classes` [1, K], of which the largest counts -> `picture`
 * [1, 3, H, W], -1 to 1. DDIM without further noise, so that noise is a latent of the picture: what clip-video steers.
 */
export function exportPicture({ model, facts, diffusion }: Trained<UNetModel>): Exportable {
  model.eval()
  const { in_channels: channels, image_size, labels } = facts
  const size = channels * image_size[0] * image_size[1]
  const process = new GaussianDiffusion(
    processConfig(diffusion, respacingOf('ddim', pictureSteps, diffusion.diffusion_steps)),
  )
  return {
    inputs: {
      noise: { dtype: 'float32', shape: [1, size] },
      ...(model.label_emb && { classes: { dtype: 'float32', shape: [1, labels.length] } }),
    },
    forward: ({ noise, classes }) => {
      if (!noise) throw new ShapeError('exportPicture: noise is needed')
      let x = ops.reshape(noise, [-1, channels, ...image_size])
      const [count] = x.sizes(4)
      const label = classes ? ops.argmax(classes, 1) : ops.zeros([count], 'int64')
      const network = conditioned(model)({ labels: label })
      for (let step = process.steps - 1; step >= 0; step--) {
        x = process.ddimSample(network, x, ops.full([count], step, 'int64')).sample
      }
      return { picture: channels === 1 ? ops.concat([x, x, x], 1) : x }
    },
    metadata: { labels: JSON.stringify(labels), steps: String(process.steps) },
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
