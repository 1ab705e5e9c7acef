import { defineSystem } from '../define.ts'
import { permutation } from './jobs/permutation.ts'
import { scale } from './jobs/scale.ts'
import { cifar10, images, mnist } from './recipes.ts'
import { targets } from './verify/index.ts'

export const mixer = defineSystem({
  name: 'mixer',
  title: 'MLP-Mixer',
  paper: 'Tolstikhin et al. 2021, arXiv 2105.01601',
  recipes: [mnist, cifar10, images],
  jobs: [scale, permutation],
  targets,
})
