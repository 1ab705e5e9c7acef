/** The reference cases that the Perceiver answers: networks, training, metrics. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { modelTargets } from './models.ts'
import { trainingTargets } from './training.ts'

export const targets: readonly CaseTargetRule[] = [...modelTargets, ...trainingTargets]
