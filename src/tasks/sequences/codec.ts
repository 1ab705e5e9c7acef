/** How words, list operations and bytes become token ids, and what a run keeps of that. */
import { z } from 'zod'
import { TextTokenizer } from '../../data/text/tokenizer.ts'
import { whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { byteIds, byteVocabularySize } from './bytes.ts'
import { listOpsVocabulary } from './listops.ts'

/** What is known of the data when the model is built, and how texts become ids. */
export const classificationFacts = z.object({
  /** words: by the tokenizer; listops: tokens of list operations; bytes: UTF-8. */
  kind: z.enum(['words', 'listops', 'bytes']),
  tokenizer: z.looseObject({ model: z.looseObject({}) }).optional(),
  labels: z.array(z.string()).min(2),
  vocab_size: whole,
  max_seq_length: whole,
  /** Accuracy of always saying the most frequent class. */
  majority: z.number(),
})

export type ClassificationFacts = z.infer<typeof classificationFacts>

/** How a text becomes ids, and the special ids around them. */
export interface SequenceCodec {
  readonly encode: (text: string) => number[]
  readonly ids: { readonly cls: number; readonly sep: number; readonly pad: number }
  readonly vocabSize: number
}

const listOpsNumbers = new Map<string, number>([...listOpsVocabulary.entries()].map(([i, token]) => [token, i + 1]))
listOpsNumbers.set(']', listOpsNumbers.get('X') ?? 0) // as people write it

/** `[MAX 2 9 [MIN 4 7 ] ]`, with or without the official parentheses. */
function encodeListOps(text: string): number[] {
  return text
    .split(/[\s()]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const id = listOpsNumbers.get(word)
      if (id === undefined) {
        throw new UsageError(`"${word}" is not a token of ListOps`, { hint: 'write it like "[MAX 2 9 [MIN 4 7 ] ]"' })
      }
      return id
    })
}

/** The codec that the facts of a run describe. Special ids of listops and bytes follow after their vocabularies. */
export function codecOf({ kind, tokenizer }: Pick<ClassificationFacts, 'kind' | 'tokenizer'>): SequenceCodec {
  if (kind === 'words') {
    const words = new TextTokenizer(tokenizer)
    return { encode: (text) => words.encode(text), ids: words.specialIds(), vocabSize: words.size }
  }
  const size = kind === 'listops' ? listOpsVocabulary.length + 1 : byteVocabularySize
  return {
    encode: kind === 'listops' ? encodeListOps : (text) => byteIds(text, Number.MAX_SAFE_INTEGER),
    ids: { pad: 0, cls: size, sep: size + 1 },
    vocabSize: size + 2,
  }
}
