/** The reference cases that FNet answers: models, training, data. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { dataTargets } from './data.ts'
import { modelTargets } from './model.ts'
import { trainingTargets } from './training.ts'

export const targets: readonly CaseTargetRule[] = [...modelTargets, ...trainingTargets, ...dataTargets]
