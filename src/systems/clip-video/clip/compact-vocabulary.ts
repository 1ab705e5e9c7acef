/** The part of CLIP's vocabulary that a small model has learned: the official ids that occur in its texts, in their order. */
import type { NDArray } from '../../../tensor/dtype.ts'
import { UsageError } from '../../../util/errors.ts'
import type { CLIPTokenizer } from './tokenizer.ts'

/** The official ids of all tokens in the texts, with padding (0), start and end: rising, so that the end is the largest here too. */
export function usedIds(tokenizer: CLIPTokenizer, texts: Iterable<string>): number[] {
  const used = new Set([0, tokenizer.startId, tokenizer.endId])
  for (const text of texts) for (const id of tokenizer.encode(text)) used.add(id)
  return [...used].sort((a, b) => a - b)
}

/** What of a text a CLIP reads. */
export interface TextReading {
  /** Words with tokens that it has never seen, which are left out. */
  readonly unknown: readonly string[]
  /** How many tokens of the text it knows, without start and end. */
  readonly tokens: number
  /** How many of these it reads: the first ones, as many as fit its length. */
  readonly read: number
}

/** A text as a small model reads it. */
export interface CompactText extends TextReading {
  /** Start, tokens, end, zeros. */
  readonly ids: readonly number[]
}

/** Texts to ids of the compact vocabulary. */
export class CompactTokenizer {
  readonly #official: CLIPTokenizer
  readonly #rows: ReadonlyMap<number, number>
  readonly contextLength: number

  /** `ids`: as `usedIds` gives them. */
  constructor(official: CLIPTokenizer, ids: readonly number[], contextLength: number) {
    this.#official = official
    this.#rows = new Map(ids.map((id, row) => [id, row]))
    this.contextLength = contextLength
  }

  /** Texts that are too long are cut. Throws a UsageError if nothing of a text is known. */
  read(text: string): CompactText {
    const official = this.#official.encode(text)
    const known = official.flatMap((id) => this.#rows.get(id) ?? [])
    const isUnknown = (ids: readonly number[]): boolean => ids.some((id) => !this.#rows.has(id))
    const unknown = this.#official.words(official).filter(isUnknown)
    if (known.length === 0 && official.length > 0) {
      throw new UsageError(`this CLIP has never read any word of ${JSON.stringify(text)}`, {
        hint: 'it knows the names of the drawings it was trained on, such as "red apple" and "fox"',
      })
    }
    const [start, end] = [this.#official.startId, this.#official.endId].map((id) => this.#rows.get(id) ?? 0)
    const read = known.slice(0, this.contextLength - 2)
    const ids = [start ?? 0, ...read, end ?? 0]
    return {
      ids: [...ids, ...Array<number>(this.contextLength - ids.length).fill(0)],
      unknown: unknown.map((word) => this.#official.decode(word).trim()),
      tokens: known.length,
      read: read.length,
    }
  }

  /** int32 [texts, contextLength]; what is not known is left out. */
  tokenize(texts: readonly string[]): NDArray {
    const rows = texts.flatMap((text) => this.read(text).ids)
    return { dtype: 'int32', shape: [texts.length, this.contextLength], data: Int32Array.from(rows) }
  }
}
