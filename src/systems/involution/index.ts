import { defineSystem } from '../define.ts'
import { attention } from './jobs/attention.ts'
import { compare } from './jobs/compare.ts'
import { counts } from './jobs/counts.ts'
import { specificity } from './jobs/specificity.ts'
import { detect, images, segment } from './recipes.ts'
import { targets } from './verify/index.ts'

export const involution = defineSystem({
  name: 'involution',
  title: 'Involution and RedNet',
  paper: 'Li et al. 2021, arXiv 2103.06255',
  recipes: [images, detect, segment],
  jobs: [compare, specificity, attention, counts],
  targets,
})
