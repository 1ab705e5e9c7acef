/** Settings that recipes on people's own data share, and what is looked at before training. */
import { z } from 'zod'
import type { Dataset } from '../data/dataset.ts'
import { UsageError } from '../util/errors.ts'
import type { Settings } from './settings.ts'

/** What damaged files, broken links, empty classes and rows without a label do. */
export const onErrorSetting = z
  .enum(['stop', 'skip'])
  .default('stop')
  .describe('what cannot be read: stop names all of it before training, skip leaves it out')

/** Refuses a batch that is larger than the training set, which would leave no step to take. */
export function checkBatchSize({ train }: Settings, examples: Dataset): void {
  const size = typeof train === 'object' && train !== null && 'batch_size' in train ? Number(train.batch_size) : 1
  if (examples.length >= size) return
  throw new UsageError(`train.batch_size is ${size}, but there are only ${examples.length} examples to train on`, {
    hint: `--set train.batch_size=${Math.max(1, examples.length)}, or more data`,
  })
}
