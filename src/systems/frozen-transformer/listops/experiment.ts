/** A frozen transformer on list operations (paper, Section 2.1). */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { type Dataset, mapDataset } from '../../../data/dataset.ts'
import * as ops from '../../../ops/index.ts'
import { answerEach, defineUse, topChoices } from '../../../tasks/define.ts'
import type { BuildOptions, Experiment } from '../../../tasks/experiment.ts'
import { encodeSegments } from '../../../tasks/language/sentence-pairs.ts'
import { type ClassificationFacts, codecOf, encodeToFit } from '../../../tasks/sequences/codec.ts'
import type { SequenceFields } from '../../../tasks/sequences/dataset.ts'
import { listOpsVocabulary } from '../../../tasks/sequences/listops.ts'
import type { OpenedClassification } from '../../../tasks/sequences/open.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { FrozenTransformer } from '../model.ts'
import { buildSequences, logitsOf, type SequenceConfig } from '../sequences.ts'

/** The id of `]`, without which the end of a list is lost. */
const closing = listOpsVocabulary.indexOf('X') + 1

/** Rows of ids without closing brackets, padded at their end with 0: what the official loader makes of them. */
export function withoutClosing(ids: NDArray): NDArray {
  const [rows, length] = sizes(ids.shape, 2)
  const values = toNumbers(ids.data)
  const data = new Int32Array(values.length)
  for (let row = 0; row < rows; row++)
    data.set(
      values.slice(row * length, (row + 1) * length).filter((id) => id !== closing),
      row * length,
    )
  return { dtype: 'int32', shape: ids.shape, data }
}

/** Data as the official loader has them, if `brackets` are dropped. */
export function readBrackets(opened: OpenedClassification, brackets: 'kept' | 'dropped'): OpenedClassification {
  if (brackets === 'kept') return opened
  const dropped = (data: Dataset<SequenceFields>): Dataset<SequenceFields> =>
    mapDataset(data, ({ input_ids, ...rest }) => ({ ...rest, input_ids: withoutClosing(input_ids) }))
  return { ...opened, train: dropped(opened.train), test: dropped(opened.test) }
}

/** A trained model with what it knows of its data. */
export interface TrainedOnListOps {
  readonly model: FrozenTransformer
  readonly facts: ClassificationFacts
  readonly brackets: 'kept' | 'dropped'
}

/** The settings that building and training use. */
export interface ListOpsConfig extends SequenceConfig {
  readonly data: { readonly brackets: 'kept' | 'dropped' }
}

/** The experiment of list operations. */
export function buildListOps(config: ListOpsConfig, facts: ClassificationFacts, options: BuildOptions) {
  const { brackets } = config.data
  const metadata = { vocabulary: listOpsVocabulary, first_id: 1, ...codecOf(facts).ids }
  return {
    ...buildSequences('listops', config, facts, options, metadata),
    facts,
    brackets,
  } satisfies Experiment<OpenedClassification> & TrainedOnListOps
}

/** The use `predict`: the most probable values of expressions. */
export const predictListOps = defineUse({
  summary: 'the most probable values of each expression',
  inputs: '"[MAX 2 9 [MIN 4 7 ] 0 ]"',
  options: z.strictObject({ top: z.number().int().positive().default(3).describe('values to name, at most') }),
  run: async function* ({ model, facts, brackets }: TrainedOnListOps, texts, { top }) {
    model.eval()
    const codec = codecOf(facts)
    const { max_seq_length: length } = facts
    const run = compile((ids: Tensor) => ops.softmax(logitsOf(model, ids), -1))
    yield* answerEach(texts, async (text) => {
      const { inputIds } = encodeSegments([encodeToFit(text, facts)], length, codec.ids)
      const row: NDArray = { dtype: 'int32', shape: [1, length], data: Int32Array.from(inputIds) }
      const { data, shape } = brackets === 'kept' ? row : withoutClosing(row)
      const probabilities = toNumbers((await run(constant(data, shape, 'int32'))).array.data)
      return [{ input: text, choices: topChoices(probabilities, (i) => facts.labels[i] ?? String(i), top) }]
    })
    await run.release()
  },
})
