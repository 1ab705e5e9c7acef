import { defineSystem } from '../define.ts'
import { targets } from './verify/index.ts'

export const diffusion = defineSystem({
  name: 'diffusion',
  title: 'Guided diffusion',
  paper: 'Dhariwal and Nichol 2021, arXiv 2105.05233',
  targets,
})
