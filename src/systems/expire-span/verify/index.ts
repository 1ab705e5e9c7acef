/** The reference cases that Expire-Span answers: parts, models, training, data. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { dataTargets } from './data.ts'
import { modelTargets } from './models.ts'
import { partTargets } from './parts.ts'
import { trainingTargets } from './training.ts'

export const targets: readonly CaseTargetRule[] = [...partTargets, ...modelTargets, ...trainingTargets, ...dataTargets]
