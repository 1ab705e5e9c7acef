import { defineSystem } from '../define.ts'
import { arrays } from './inputs/arrays.ts'
import { audio } from './inputs/audio.ts'
import { points } from './inputs/points.ts'
import { video } from './inputs/video.ts'
import { cost } from './jobs/cost.ts'
import { iterations } from './jobs/iterations.ts'
import { modalities } from './jobs/modalities.ts'
import { permutation } from './jobs/permutation.ts'
import { positions } from './jobs/positions.ts'
import { official } from './official/recipe.ts'
import { images } from './recipes.ts'
import { targets } from './verify/index.ts'

export const perceiver = defineSystem({
  name: 'perceiver',
  title: 'Perceiver',
  paper: 'Jaegle et al. 2021, arXiv 2103.03206',
  recipes: [images, points, audio, video, arrays, official],
  jobs: [permutation, cost, iterations, positions, modalities],
  targets,
})
