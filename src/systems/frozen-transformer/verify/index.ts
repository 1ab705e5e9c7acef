/** How `tenfold verify` runs the reference cases of frozen transformers. */
import { dataTargets } from './data.ts'
import { modelTargets } from './models.ts'
import { trainingTargets } from './training.ts'

export const targets = [...modelTargets, ...trainingTargets, ...dataTargets]
