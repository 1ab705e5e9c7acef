/** What `tenfold export` writes: the networks that sampling needs, and what the loop around them must know. */
import type { Module } from '../../nn/index.ts'
import type { Exportable } from '../../tasks/define.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import type { TensorType } from '../../tensor/tensor.ts'
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

/** `x`, `timesteps` and, with classes, the label `y` -> `output`: the noise and, if it is learned, the variance. */
export function exportDenoiser(trained: Trained<UNetModel>): Exportable {
  const { model, facts } = trained
  model.eval()
  const [inputs, metadata] = [inputsOf(facts), metadataOf(trained)]
  if (!model.label_emb) {
    const plain: Exportable<'x' | 'timesteps'> = {
      inputs,
      forward: ({ x, timesteps }) => ({ output: model.forward(x, timesteps) }),
      metadata,
    }
    return plain
  }
  const labelled: Exportable<'x' | 'timesteps' | 'y'> = {
    inputs: { ...inputs, y: { dtype: 'int64', shape: [1] } },
    forward: ({ x, timesteps, y }) => ({ output: model.forward(x, timesteps, y) }),
    metadata,
  }
  return labelled
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
