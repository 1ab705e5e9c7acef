import { z } from 'zod'
import { whole } from '../../train/settings.ts'

/** The form of what is known of pictures with objects when a detector is built. */
export const detectionFacts = z.object({
  /** Names of the categories. */
  labels: z.array(z.string()),
  /** Height and width that pictures are brought to, in pixels. */
  image_size: z.tuple([whole, whole]),
  /** false: some object has a box only. Default: true. */
  has_masks: z.boolean().optional(),
})

export type DetectionFacts = z.infer<typeof detectionFacts>
