import { defineSystem } from '../define.ts'
import { speed } from './jobs/speed.ts'
import { bytes, classify, listops, pretrain } from './recipes.ts'
import { targets } from './verify/index.ts'

export const fnet = defineSystem({
  name: 'fnet',
  title: 'FNet',
  paper: 'Lee-Thorp et al. 2021, arXiv 2105.03824',
  recipes: [pretrain, classify, listops, bytes],
  jobs: [speed],
  targets,
})
