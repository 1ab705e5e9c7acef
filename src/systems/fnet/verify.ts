/** The reference cases that FNet answers: models, training, data. */
import type { CaseTargetRule } from '../../verify/target.ts'
import { dataTargets } from './verify-data.ts'
import { modelTargets } from './verify-model.ts'
import { trainingTargets } from './verify-training.ts'

export const targets: readonly CaseTargetRule[] = [...modelTargets, ...trainingTargets, ...dataTargets]
