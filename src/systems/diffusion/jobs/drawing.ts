/** Pictures that the networks of a study draw, measured. */
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { conditioned } from '../conditions.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import { classifierGuide, GaussianDiffusion } from '../gaussian-diffusion.ts'
import type { ClassifierExperiment } from '../noisy-classifier.ts'
import { byteOf, PictureSampler, type samplerNames } from '../sample/sampler.ts'
import { processConfig } from '../settings.ts'

/** How pictures are drawn. */
export interface Drawing {
  readonly count: number
  readonly seed: number
  /** Steps, as `spaceTimesteps` reads them. */
  readonly respacing: string
  readonly sampler: (typeof samplerNames)[number]
  readonly classifier?: ClassifierExperiment | undefined
  readonly guidance?: number
  /** Small pictures in [-1, 1] for a network that makes them larger, [count, C, h, w]. */
  readonly lowRes?: NDArray
  readonly signal?: AbortSignal | undefined
}

/** Drawn pictures as bytes [N, C, H, W], and what they should show: all classes in turn. */
export interface Drawn {
  readonly pictures: NDArray
  readonly labels: readonly number[]
}

const atOnce = 100

/** Pictures [N, C, H, W] in [-1, 1] as bytes of the same shape. */
export function asBytes({ shape, data }: NDArray): NDArray {
  return { dtype: 'uint8', shape, data: Uint8Array.from(toNumbers(data), byteOf) }
}

/** Bytes as the networks have them, in [-1, 1]. */
export function asFloats({ shape, data }: NDArray): NDArray {
  return { dtype: 'float32', shape, data: Float32Array.from(toNumbers(data), (value) => value / 127.5 - 1) }
}

/** Draws pictures of all classes in turn. */
export async function drawPictures(
  { model, facts, diffusion, threads }: DenoiserExperiment,
  { count, seed, respacing, sampler, classifier, guidance = 0, lowRes, signal }: Drawing,
): Promise<Drawn> {
  const labels = Array.from({ length: count }, (_, i) => i % facts.labels.length)
  const guides = classifier && guidance > 0
  const drawing = new PictureSampler({
    diffusion: new GaussianDiffusion(processConfig(diffusion, respacing)),
    modules: classifier ? [model, classifier.model] : [model],
    network: conditioned(model),
    ...(guides && {
      guide: (y) => classifierGuide((x, timesteps) => classifier.model.forward(x, timesteps), y, guidance),
    }),
    shape: [facts.in_channels, ...facts.image_size],
    sampler,
    batchSize: Math.min(atOnce, count),
    ...(threads !== undefined && { threads }),
  })
  const pictures = asBytes(await drawing.sample({ labels, seed, signal, lowRes }))
  await drawing.release()
  return { pictures, labels }
}
