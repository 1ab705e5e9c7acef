/** The reference cases of translation bias. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { measureTargets } from './measures.ts'
import { pratesTargets } from './prates.ts'
import { statisticalTargets } from './statistical.ts'
import { winomtTargets } from './winomt.ts'

export const targets: readonly CaseTargetRule[] = [
  ...statisticalTargets,
  ...pratesTargets,
  ...winomtTargets,
  ...measureTargets,
]
