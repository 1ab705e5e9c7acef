/** The reference cases that self-supervised learning answers. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { contrastiveTargets } from './contrastive.ts'
import { energyTargets } from './energies.ts'
import { evaluationTargets } from './evaluation.ts'
import { jointEmbeddingTargets } from './joint-embedding.ts'
import { multiCropTargets } from './multi-crop.ts'
import { predictiveTargets } from './predictive.ts'
import { trainingTargets } from './training.ts'

export const targets: readonly CaseTargetRule[] = [
  ...contrastiveTargets,
  ...jointEmbeddingTargets,
  ...multiCropTargets,
  ...predictiveTargets,
  ...energyTargets,
  ...evaluationTargets,
  ...trainingTargets,
]
