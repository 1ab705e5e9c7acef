/** The form of a data record in a file. Apart from its type, so that a program that uses the types needs none of zod's. */
import { z } from 'zod'
import type { DataRecord } from './record.ts'

const digests = z.record(z.string(), z.string())

export const dataRecord: z.ZodType<DataRecord> = z.strictObject({
  format: z.literal(1),
  unit: z.string(),
  sources: digests,
  train: digests,
  test: digests,
})
