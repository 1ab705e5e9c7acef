import { defineSystem } from '../define.ts'
import { make } from './jobs/make.ts'
import { optimisation } from './jobs/optimisation.ts'
import { retrieval } from './jobs/retrieval.ts'
import { truncation } from './jobs/truncation.ts'
import { biggan, clip } from './recipes.ts'
import { targets } from './verify/index.ts'

export const clipVideo = defineSystem({
  name: 'clip-video',
  title: 'CLIP music video',
  paper: 'Radford et al. 2021, arXiv 2103.00020; Brock et al. 2018, arXiv 1809.11096',
  recipes: [clip, biggan],
  jobs: [make, retrieval, optimisation, truncation],
  targets,
})
