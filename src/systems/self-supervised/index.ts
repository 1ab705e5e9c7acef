import { defineSystem } from '../define.ts'
import { jobs } from './jobs/index.ts'
import { learnerRecipes } from './predictive/recipes.ts'
import { recipes } from './recipes.ts'
import { targets } from './verify/index.ts'

export const selfSupervised = defineSystem({
  name: 'self-supervised',
  title: 'Self-supervised learning',
  paper: 'LeCun and Misra 2021, Self-supervised learning: the dark matter of intelligence',
  recipes: [...recipes, ...learnerRecipes],
  jobs,
  targets,
})
