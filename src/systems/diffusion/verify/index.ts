import type { CaseTargetRule } from '../../../verify/target.ts'
import { mathematicsTargets } from './mathematics.ts'
import { metricTargets } from './metrics.ts'
import { networkTargets } from './networks.ts'
import { releasedTargets } from './released.ts'
import { samplingTargets } from './sampling.ts'
import { trainingTargets } from './training.ts'

export const targets: readonly CaseTargetRule[] = [
  ...mathematicsTargets,
  ...networkTargets,
  ...samplingTargets,
  ...trainingTargets,
  ...releasedTargets,
  ...metricTargets,
]
