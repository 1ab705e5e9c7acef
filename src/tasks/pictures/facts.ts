import { z } from 'zod'
import { whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'

/** The form of what is known of pictures when a model is built. */
export const pictureFacts = z.object({
  /** Names of the classes. */
  labels: z.array(z.string()),
  /** Height and width, in pixels. */
  image_size: z.tuple([whole, whole]),
  in_channels: z.union([z.literal(1), z.literal(3)]),
  /** What is behind the things in all pictures, where that is known: MNIST's digits are light on dark. */
  ground: z.literal('dark').optional(),
})

export type PictureFacts = z.infer<typeof pictureFacts>

/** Whether there is something to tell apart: a folder may have pictures and no classes. */
export function haveClasses({ labels }: { readonly labels: readonly string[] }): boolean {
  return labels.length > 1
}

/** Throws a UsageError if a run's pictures have no classes, which `use` needs. */
export function requireClasses(facts: { readonly labels: readonly string[] }, use: string): void {
  if (haveClasses(facts)) return
  throw new UsageError(`${use}: the run's pictures have no classes to tell apart`, {
    hint: 'tenfold fewshot RUN --data DIR takes other pictures, with one sub-folder per class',
  })
}
