import { defineSystem } from '../define.ts'
import { depth } from './jobs/depth.ts'
import { initialization } from './jobs/initialization.ts'
import { layerNorm } from './jobs/layernorm.ts'
import { mask } from './jobs/mask.ts'
import { transfer } from './jobs/transfer.ts'
import { unfreeze } from './jobs/unfreeze.ts'
import { languageRecipe } from './language/recipe.ts'
import { listOpsRecipe } from './listops/recipe.ts'
import { picturesRecipe } from './pictures/recipe.ts'
import { proteinRecipe } from './proteins/recipe.ts'
import { bitMemoryRecipe, bitXorRecipe } from './recipes.ts'
import { targets } from './verify/index.ts'

export const frozenTransformer = defineSystem({
  name: 'frozen-transformer',
  title: 'Frozen pretrained transformers',
  paper: 'Lu et al. 2021, arXiv 2103.05247',
  recipes: [bitXorRecipe, bitMemoryRecipe, listOpsRecipe, picturesRecipe, proteinRecipe, languageRecipe],
  jobs: [transfer, layerNorm, depth, unfreeze, mask, initialization],
  targets,
})
