/** The upsampler as a run: a denoiser of large pictures that is shown the small one (Dhariwal and Nichol 2021, section 5.3 and appendix D). */
import { compile } from '../../compile/compile.ts'
import * as ops from '../../ops/index.ts'
import { pictureSheet, picturesOf } from '../../report/from-tensors.ts'
import { type BuildOptions, threadOptions } from '../../tasks/experiment.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import type { DenoiserExperiment } from './denoiser.ts'
import { explainDenoiser } from './explain.ts'
import { exportDenoiser } from './exports.ts'
import { GaussianDiffusion } from './gaussian-diffusion.ts'
import { SuperResModel } from './model.ts'
import type { PictureSampler } from './sample/sampler.ts'
import { snapshotSampler } from './sample/snapshot.ts'
import { processConfig, type UpsamplerSettings, unetConfig } from './settings.ts'
import { type DenoisingConfig, trainDenoiser } from './training/denoiser-training.ts'

/** The settings of the recipe. */
export interface UpsamplerConfig extends DenoisingConfig {
  readonly model: UpsamplerSettings
}

/** A trained upsampler, as the uses take it. */
export interface UpsamplerExperiment extends DenoiserExperiment {
  readonly model: SuperResModel
  /** Height and width of the small pictures. */
  readonly smallSize: readonly [height: number, width: number]
}

/** The small pictures of large ones [B, C, H, W]: means of squares of factor x factor pixels, as OpenAI's code has them. */
function smallPictures(x: Tensor, factor: number): Tensor {
  return ops.avgPool2d(x, factor)
}

/** Test pictures of a snapshot. */
const shown = 10

/** Each pixel as factor x factor pixels. */
function enlargedPixels(x: Tensor, factor: number): Tensor {
  return ops.repeatInterleave(ops.repeatInterleave(x, factor, 2), factor, 3)
}

/** Trains and uses an upsampler of pictures. All random numbers follow from the seed. */
export function upsamplerExperiment(
  config: UpsamplerConfig,
  facts: PictureFacts,
  options: BuildOptions,
): UpsamplerExperiment {
  const { diffusion } = config
  const { factor, ...network } = config.model
  const [height, width] = facts.image_size
  if (height % factor !== 0 || width % factor !== 0) {
    throw new UsageError(
      `height and width of the pictures must be multiples of model.factor ${factor}, found ${height} x ${width}`,
    )
  }
  const trained = trainDenoiser({
    make: () => new SuperResModel(unetConfig(network, facts, diffusion)),
    config,
    options,
    conditions: (xStart, labels) => ({ labels, lowRes: smallPictures(xStart, factor) }),
  })
  const { model } = trained
  const smallSize = [height / factor, width / factor] as const
  let sampler: PictureSampler | undefined
  const downsample = compile((image: Tensor) => {
    const x = normalizePixels(image)
    const small = smallPictures(x, factor)
    return { x, small, seen: enlargedPixels(small, factor) }
  }, threadOptions(options))
  return {
    ...trained,
    facts,
    diffusion,
    smallSize,
    exports: { upsampler: () => exportDenoiser({ model, facts, diffusion, smallSize }) },
    snapshot: async ({ test }) => {
      const count = Math.min(shown, test.length)
      sampler ??= snapshotSampler({ model, facts, diffusion }, count, options)
      const rows = Array.from({ length: count }, (_, i) => i)
      const { image, label } = await test.batch(rows, { epoch: 0, seed: 0 })
      const { x, small, seen } = await downsample(image)
      const labels = toNumbers(label.data)
      const made = await sampler.sample({ labels, seed: 0, lowRes: small.array })
      const row = (array: NDArray) => picturesOf(array)
      return { upsampled: pictureSheet([...row(seen.array), ...row(made), ...row(x.array)], count) }
    },
    explain: async ({ test }) => [await explainDenoiser(new GaussianDiffusion(processConfig(diffusion)), test)],
  }
}
