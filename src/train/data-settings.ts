/** Settings shared by recipes on users' own data, and checks before training. */
import { z } from 'zod'
import type { Dataset } from '../data/dataset.ts'
import { UsageError } from '../util/errors.ts'
import type { Settings } from './settings.ts'

/** What to do about damaged files, broken links, empty classes and rows without a label. */
export const onErrorSetting = z
  .enum(['stop', 'skip'])
  .default('stop')
  .describe('unreadable data: stop lists all of it before training, skip leaves it out')

/** Refuses a batch that is larger than the training set, which would leave no step to take. */
export function checkBatchSize({ train }: Settings, examples: Dataset): void {
  const size = typeof train === 'object' && train !== null && 'batch_size' in train ? Number(train.batch_size) : 1
  if (examples.length >= size) return
  throw new UsageError(`train.batch_size is ${size}, but there are only ${examples.length} examples to train on`, {
    hint: `--set train.batch_size=${Math.max(1, examples.length)}, or more data`,
  })
}
