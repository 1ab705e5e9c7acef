import { defineSystem } from '../define.ts'
import { architecture } from './jobs/architecture.ts'
import { evaluate } from './jobs/evaluate.ts'
import { gan } from './jobs/gan.ts'
import { guidance } from './jobs/guidance.ts'
import { noise } from './jobs/noise.ts'
import { steps } from './jobs/steps.ts'
import { upsampling } from './jobs/upsampling.ts'
import { classifier, denoiser, upsampler } from './recipes.ts'
import { targets } from './verify/index.ts'

export const diffusion = defineSystem({
  name: 'diffusion',
  title: 'Guided diffusion',
  paper: 'Dhariwal and Nichol 2021, arXiv 2105.05233',
  recipes: [denoiser, classifier, upsampler],
  jobs: [guidance, steps, noise, architecture, gan, upsampling, evaluate],
  targets,
})
