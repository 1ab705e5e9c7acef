/** How words, list operations and bytes become token ids, and what a run keeps of that. */
import { z } from 'zod'
import { TextTokenizer } from '../../data/text/tokenizer.ts'
import { whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { byteIds, byteVocabularySize } from './bytes.ts'
import { listOpsFault, listOpsVocabulary } from './listops.ts'

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

/** The ids of the tokens of list operations, by token; parentheses are left out. */
export function listOpsTokens(): Readonly<Record<string, number>> {
  return Object.fromEntries(listOpsNumbers)
}

const hint = 'write it like "[MAX 2 9 [MIN 4 7 ] ]"'

/** `[MAX 2 9 [MIN 4 7 ] ]`, with or without the official parentheses. */
function encodeListOps(text: string): number[] {
  const words = text.split(/[\s()]+/).filter((word) => word !== '')
  const ids = words.map((word) => {
    const id = listOpsNumbers.get(word)
    if (id === undefined) throw new UsageError(`"${word}" is not a token of ListOps`, { hint })
    return id
  })
  const fault = listOpsFault(words.map((word) => (word === ']' ? 'X' : word)))
  if (fault !== undefined) throw new UsageError(`must be an expression of ListOps, but ${fault}`, { hint })
  return ids
}

/** The ids of a text for a model with these facts, as many as fit beside two special ones. A list operation that is cut off has no value: it must fit. */
export function encodeToFit(
  text: string,
  facts: Pick<ClassificationFacts, 'kind' | 'tokenizer' | 'max_seq_length'>,
): number[] {
  const [ids, most] = [codecOf(facts).encode(text), facts.max_seq_length - 2]
  if (facts.kind === 'listops' && ids.length > most)
    throw new UsageError(`must have at most ${most} tokens, as those of the training, found ${ids.length}`)
  return ids.slice(0, most)
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
