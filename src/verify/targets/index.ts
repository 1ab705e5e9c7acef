/** The targets of op entries, by the names of the reference. */
import type { OpTargets } from '../target.ts'
import { targets as activations } from './activations.ts'
import { targets as attention } from './attention.ts'
import { targets as conv } from './conv.ts'
import { targets as elementwise } from './elementwise.ts'
import { targets as indexing } from './indexing.ts'
import { targets as losses } from './losses.ts'
import { targets as matmul } from './matmul.ts'
import { targets as movement } from './movement.ts'
import { targets as norms } from './norms.ts'
import { targets as pool } from './pool.ts'
import { targets as reductions } from './reductions.ts'

export const opTargets: OpTargets = {
  ...activations,
  ...attention,
  ...conv,
  ...elementwise,
  ...indexing,
  ...losses,
  ...matmul,
  ...movement,
  ...norms,
  ...pool,
  ...reductions,
}
