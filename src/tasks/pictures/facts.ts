import { z } from 'zod'
import { whole } from '../../train/settings.ts'

/** The form of what is known of pictures when a model is built. */
export const pictureFacts = z.object({
  /** Names of the classes. */
  labels: z.array(z.string()),
  /** Height and width, in pixels. */
  image_size: z.tuple([whole, whole]),
  in_channels: z.union([z.literal(1), z.literal(3)]),
})

export type PictureFacts = z.infer<typeof pictureFacts>
