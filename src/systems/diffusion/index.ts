import { defineSystem } from '../define.ts'
import { classifier, denoiser } from './recipes.ts'
import { targets } from './verify/index.ts'

export const diffusion = defineSystem({
  name: 'diffusion',
  title: 'Guided diffusion',
  paper: 'Dhariwal and Nichol 2021, arXiv 2105.05233',
  recipes: [denoiser, classifier],
  targets,
})
