import { defineRecipe, defineSystem } from '../define.ts'
import { ablation } from './jobs/ablation.ts'
import { corridor } from './jobs/corridor.ts'
import { criticism } from './jobs/criticism.ts'
import { gradient } from './jobs/gradient.ts'
import { memory } from './jobs/memory.ts'
import { scale } from './jobs/scale.ts'
import { characters } from './recipes.ts'
import { collisions, copy, corridors, cue, instruction, portal } from './tasks/recipes.ts'
import { targets } from './verify/index.ts'

export const expireSpan = defineSystem({
  name: 'expire-span',
  title: 'Expire-Span',
  paper: 'Sukhbaatar et al. 2021, arXiv 2105.06548',
  recipes: [
    characters,
    defineRecipe(corridors),
    defineRecipe(portal),
    defineRecipe(instruction),
    defineRecipe(copy),
    defineRecipe(cue),
    defineRecipe(collisions),
  ],
  jobs: [memory, corridor, scale, ablation, gradient, criticism],
  targets,
})
