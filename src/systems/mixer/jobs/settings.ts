/** Settings that the studies share. */

import { z } from 'zod'
import { whole } from '../../../train/settings.ts'

/** How the members are trained. */
export const memberTraining = z.strictObject({
  steps: whole.default(1000).describe('training steps of each member, however few its data'),
  batch_size: whole.default(64).describe('pictures in a step'),
  lr: z.number().positive().default(8e-3).describe('highest learning rate of AdamW, the same for all models'),
  weight_decay: z.number().min(0).default(0.05).describe('of matrices and kernels, by AdamW'),
})
