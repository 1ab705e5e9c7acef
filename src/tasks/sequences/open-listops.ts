/** The data of ListOps: expressions drawn by the rules of the Long Range Arena. */
import { z } from 'zod'
import { describeSides, openingOf } from '../../data/opening.ts'
import { recordWhole } from '../../data/record.ts'
import { count, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { turns } from '../../util/turn.ts'
import {
  generateListOps,
  type ListOpsOptions,
  type ListOpsTree,
  listOpsIds,
  listOpsLength,
  listOpsOperators,
  listOpsText,
  listOpsValue,
  listOpsVocabulary,
} from './listops.ts'
import { type OpenedClassification, openedSequences } from './open.ts'

export const listOpsSettings = z.strictObject({
  max_seq_length: z.number().int().min(16).default(512).describe('tokens of an expression, at most (official 2000)'),
  min_length: count.default(64).describe('expressions have more tokens than this (official 500)'),
  max_depth: whole.default(10).describe('levels of nesting, at most'),
  max_args: z.number().int().min(2).default(10).describe('arguments of an operator, at most'),
  train_examples: whole.default(12_000).describe('expressions for training (official 96,000)'),
  test_examples: whole.default(1000).describe('expressions for testing (official 2,000)'),
  data_seed: count.default(0).describe('seed of the expressions'),
})

export type ListOpsSettings = z.infer<typeof listOpsSettings>

/** Probability that a node is an operator (lra_benchmarks/data/listops.py, VALUE_P). */
const nodeShare = 0.25

/** Expressions of which no two are equal, longer than `minLength` and shorter than `maxLength` tokens. */
export async function makeListOps(
  total: number,
  minLength: number,
  maxLength: number,
  options: ListOpsOptions,
  seed: number | bigint,
): Promise<ListOpsTree[]> {
  const pause = turns()
  const random = new Generator(seed)
  const whole = (low: number, high: number): number => random.integers(low, high, 1)[0] ?? low
  let nodes = 0
  const draws = {
    // A tree that is too long already is only completed: it will be rejected.
    kind: () => (++nodes > maxLength ? 1 : (random.uniform(1)[0] ?? 0)),
    digit: () => whole(0, 10),
    argumentCount: (most: number) => whole(2, most + 1),
    operator: () => listOpsOperators[whole(0, listOpsOperators.length)] ?? listOpsOperators[0],
  }
  const found = new Map<string, ListOpsTree>()
  for (let tries = 0; found.size < total; tries++) {
    if (tries > 2000 * (total + 10)) {
      throw new UsageError(`no ${total} different expressions of ${minLength} to ${maxLength} tokens were found`, {
        hint: 'take a wider range of lengths, or more levels',
      })
    }
    nodes = 0
    await pause()
    const tree = generateListOps(options, draws)
    const length = listOpsLength(tree)
    if (length > minLength && length < maxLength) found.set(listOpsText(tree), tree)
  }
  return [...found.values()]
}

/** Expressions, for training and testing; the same for the same settings. */
export async function openListOps(data: ListOpsSettings): Promise<OpenedClassification> {
  const { train_examples, test_examples, min_length, max_seq_length, max_depth, max_args, data_seed } = data
  const options = { maxDepth: max_depth, maxArgs: max_args, nodeShare }
  const total = train_examples + test_examples
  if (min_length > max_seq_length - 3) {
    throw new UsageError(
      `data.min_length must be below data.max_seq_length - 2, found ${min_length} and ${max_seq_length}`,
      { hint: 'expressions have more tokens than the one, and two less than the other' },
    )
  }
  // Two tokens of the length are [CLS] and [SEP].
  const trees = await makeListOps(total, min_length, max_seq_length - 1, options, deriveSeed(data_seed, 'listops'))
  const examples = trees.map((tree) => ({ text: listOpsTokensText(tree), label: listOpsValue(tree) }))
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  const sides = { train: examples.slice(test_examples), test: examples.slice(0, test_examples) }
  const opening = openingOf(
    [describeSides('expression', train_examples, test_examples)],
    [],
    recordWhole('expression', {}),
  )
  return openedSequences({ kind: 'listops', labels, max_seq_length }, { ...sides, opening })
}

/** A tree as people write it, without the official parentheses. */
function listOpsTokensText(tree: ListOpsTree): string {
  return listOpsIds(tree)
    .map((id) => (listOpsVocabulary[id - 1] === 'X' ? ']' : (listOpsVocabulary[id - 1] ?? '')))
    .join(' ')
}
