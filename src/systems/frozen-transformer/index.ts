import { defineSystem } from '../define.ts'
import { listOpsRecipe } from './listops/recipe.ts'
import { picturesRecipe } from './pictures/recipe.ts'
import { bitMemoryRecipe, bitXorRecipe } from './recipes.ts'
import { targets } from './verify/index.ts'

export const frozenTransformer = defineSystem({
  name: 'frozen-transformer',
  title: 'Frozen pretrained transformers',
  paper: 'Lu et al. 2021, arXiv 2103.05247',
  recipes: [bitXorRecipe, bitMemoryRecipe, listOpsRecipe, picturesRecipe],
  targets,
})
