/** Classes of named arrays: what is known of them when a model is built. */
import { z } from 'zod'
import type { Field } from '../../data/dataset.ts'
import { dtypes } from '../../tensor/dtype.ts'

const field: z.ZodType<Field> = z.object({
  dtype: z.enum(dtypes as [(typeof dtypes)[number]]),
  shape: z.array(z.number().int().positive()),
})

/** The form of the facts; recipes extend it by what their own inputs need. */
export const arrayFacts = z.object({
  /** Names of the classes. */
  labels: z.array(z.string()),
  /** Whether an example has one class, or any number of them. */
  classes_per_example: z.enum(['one', 'any']),
  /** The arrays of an example by name, without the batch axis. */
  inputs: z.record(z.string(), field),
  /** Rows of each test example, whose scores are averaged. */
  windows: z.number().int().positive(),
})

export type ArrayFacts = z.infer<typeof arrayFacts>
