/** The reference cases of involution: the operator, the network and its parts, detectors' parts, counts. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { backboneTargets } from './backbone.ts'
import { classifierTargets } from './classifier.ts'
import { counterTargets } from './counters.ts'
import { detectionTargets } from './detection.ts'
import { operatorTargets } from './operator.ts'

export const targets: readonly CaseTargetRule[] = [
  ...operatorTargets,
  ...backboneTargets,
  ...classifierTargets,
  ...detectionTargets,
  ...counterTargets,
]
