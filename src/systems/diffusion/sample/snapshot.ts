/** Pictures that a training shows of itself at each evaluation, and its report at the end. */
import { type BuildOptions, threadOptions } from '../../../tasks/experiment.ts'
import { conditioned } from '../conditions.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import { GaussianDiffusion } from '../gaussian-diffusion.ts'
import { type DiffusionSettings, processConfig } from '../settings.ts'
import { PictureSampler } from './sampler.ts'

/** Steps: enough to see how training goes. */
const snapshotSteps = 50

/** So many steps as evenly as they fit: fewer where there are not as many. */
function evenSteps(steps: number, { diffusion_steps }: DiffusionSettings): string {
  return String(Math.min(steps, diffusion_steps))
}

/** A sampler for such pictures, so many at once. */
export function snapshotSampler(
  { model, facts, diffusion }: Pick<DenoiserExperiment, 'model' | 'facts' | 'diffusion'>,
  batchSize: number,
  options: BuildOptions,
): PictureSampler {
  return new PictureSampler({
    diffusion: new GaussianDiffusion(processConfig(diffusion, evenSteps(snapshotSteps, diffusion))),
    modules: [model],
    network: conditioned(model),
    shape: [facts.in_channels, ...facts.image_size],
    sampler: 'ancestral',
    batchSize,
    ...threadOptions(options),
  })
}
