/** What two runs must have in common to work together. */
import { UsageError } from '../../../util/errors.ts'
import type { DenoiserExperiment } from '../denoiser.ts'
import type { ClassifierExperiment } from '../noisy-classifier.ts'
import type { UpsamplerExperiment } from '../upsampler.ts'

/** Two runs that work together must agree on these. */
function checkSame(
  what: string,
  own: Readonly<Record<string, string | number>>,
  other: Readonly<Record<string, string | number>>,
): void {
  for (const [name, value] of Object.entries(own)) {
    const found = other[name]
    if (found !== value)
      throw new UsageError(`sample: denoiser and ${what} must have the same ${name}, found ${value} and ${found}`)
  }
}

/** The classifier must have been trained on the same classes, sizes and noise. */
export function checkClassifier(denoiser: DenoiserExperiment, classifier: ClassifierExperiment): void {
  const described = ({ facts, diffusion }: DenoiserExperiment | ClassifierExperiment) => ({
    classes: facts.labels.join(', '),
    'picture sizes': facts.image_size.join(' x '),
    channels: facts.in_channels,
    'noise schedules': diffusion.noise_schedule,
    'diffusion steps': diffusion.diffusion_steps,
  })
  checkSame('classifier', described(denoiser), described(classifier))
}

/** The upsampler must start from pictures like those. */
export function checkUpsampler(denoiser: DenoiserExperiment, { facts, smallSize }: UpsamplerExperiment): void {
  const described = ({ labels, in_channels }: DenoiserExperiment['facts'], size: readonly number[]) => ({
    classes: labels.join(', '),
    channels: in_channels,
    'sizes of small pictures': size.join(' x '),
  })
  checkSame('upsampler', described(denoiser.facts, denoiser.facts.image_size), described(facts, smallSize))
}
