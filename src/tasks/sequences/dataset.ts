/** Labelled token sequences as a dataset. */
import { arrayDataset, type Dataset } from '../../data/dataset.ts'
import type { SpecialIds } from '../../data/text/special-tokens.ts'
import { UsageError } from '../../util/errors.ts'
import { encodeSegments } from '../language/sentence-pairs.ts'
import { int32Vector, segmentRows } from '../rows.ts'

/** A sequence with its class. */
export interface LabelledSequence {
  readonly ids: readonly number[]
  readonly label: number
}

/** The fields of labelled sequences: token ids, kinds of segments, the number of the class. */
export type SequenceFields = 'input_ids' | 'type_ids' | 'label'

/** [CLS] sequence [SEP], cut so that the [SEP] stays: `input_ids`, `type_ids` int32 [maxLength], `label` int32 []. */
export function labelledDataset(
  sequences: readonly LabelledSequence[],
  maxLength: number,
  ids: Pick<SpecialIds, 'cls' | 'sep' | 'pad'>,
): Dataset<SequenceFields> {
  if (sequences.length === 0) throw new UsageError('a classifier needs examples, found none')
  const encoded = sequences.map(({ ids: tokens }) => encodeSegments([tokens.slice(0, maxLength - 2)], maxLength, ids))
  return arrayDataset({
    ...segmentRows(encoded, maxLength),
    label: int32Vector(sequences.map(({ label }) => label)),
  })
}
