/** Text to token numbers and back, by any file in the standard `tokenizer.json` format. */
import * as huggingFace from '@huggingface/tokenizers'
import { z } from 'zod'
import { FormatError, UsageError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { type SpecialIds, specialNames } from './special-tokens.ts'

/** A `tokenizer.json` as parsed JSON: the part that is read here; the rest is the library's. */
export interface TokenizerFile {
  readonly model: { readonly type?: string | undefined; readonly [field: string]: unknown }
  readonly added_tokens?:
    | readonly { readonly id: number; readonly content: string; readonly [field: string]: unknown }[]
    | undefined
  readonly [field: string]: unknown
}

const tokenizerFile = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z.array(z.looseObject({ id: z.number(), content: z.string() })).default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
})

/** The used part of the library, whose own declarations do not resolve under Node's module rules (imports without extensions). */
interface LibraryTokenizer {
  readonly normalizer: ((text: string) => string) | null
  pre_tokenizer: ((text: string, options?: object) => string[]) | null
  readonly model: { encode(parts: string[]): string[] }
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string
  token_to_id(token: string): number | undefined
  id_to_token(id: number): string | undefined
  get_vocab(): Map<string, number>
}

/** A trained tokenizer: WordPiece, BPE (SentencePiece's too) or unigram. */
export class TextTokenizer {
  /** What `tokenizer.json` holds. */
  readonly file: TokenizerFile
  readonly #library: LibraryTokenizer
  readonly #size: number

  /** `source` names the file in errors. Throws a FormatError if the JSON is not a tokenizer. */
  constructor(file: unknown, source = 'tokenizer') {
    const checked = tokenizerFile.safeParse(file)
    if (!checked.success) {
      const [issue] = checked.error.issues
      throw new FormatError(
        `${source}: must be in the tokenizer.json format: ${issue?.path.join('.')} ${issue?.message}`,
      )
    }
    this.file = file as TokenizerFile // just checked
    try {
      this.#library = new (huggingFace.Tokenizer as new (file: object, config: object) => LibraryTokenizer)(
        checked.data,
        {},
      )
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new FormatError(`${source}: must be a tokenizer that can be used here: ${reason}`, { cause: error })
    }
    splitWords(this.#library, checked.data.pre_tokenizer)
    rememberParts(this.#library)
    this.#size = largest(this.#library.get_vocab().values()) + 1
  }

  /** Ids run from 0 to size - 1. */
  get size(): number {
    return this.#size
  }

  /** Token ids of a text. Special tokens written in it are recognised; [CLS] and [SEP] are not added. */
  encode(text: string): number[] {
    return text === '' ? [] : this.#library.encode(text, { add_special_tokens: false }).ids
  }

  /** The text of token ids. `special`: with the special tokens among them (default: without). */
  decode(ids: readonly number[], options: { special?: boolean } = {}): string {
    if (ids.length === 0) return ''
    const skip = !(options.special ?? false)
    return this.#library.decode([...ids], { skip_special_tokens: skip, clean_up_tokenization_spaces: false })
  }

  /** The token of an id, as the vocabulary writes it (`##ing`, `▁the`). */
  token(id: number): string {
    const token = this.#library.id_to_token(id)
    if (token === undefined) throw new UsageError(`token ids must be below ${this.size}, found ${id}`)
    return token
  }

  /** The id of a token as the vocabulary writes it. */
  id(token: string): number | undefined {
    return this.#library.token_to_id(token)
  }

  /** The ids of the tokens that a model of text needs. Throws a FormatError that names a missing one. */
  specialIds(): SpecialIds {
    const find = (use: keyof SpecialIds): number => {
      const id = specialNames[use].map((name) => this.id(name)).find((found) => found !== undefined)
      if (id === undefined) throw new FormatError(`the tokenizer must have a token ${specialNames[use].join(' or ')}`)
      return id
    }
    return { unk: find('unk'), pad: find('pad'), cls: find('cls'), sep: find('sep'), mask: find('mask') }
  }

  /** The share of <unk> among the tokens of texts: what a model can't tell apart. 0 where there is no such token. */
  unknownShare(sequences: Iterable<readonly number[]>): number {
    const unknown = specialNames.unk.map((name) => this.id(name)).find((id) => id !== undefined)
    let [total, count] = [0, 0]
    for (const ids of sequences) {
      total += ids.length
      for (const id of ids) if (id === unknown) count++
    }
    return total === 0 ? 0 : count / total
  }

  /** Normalised parts of a text that are tokenised on their own: what a vocabulary is trained on. */
  parts(text: string): string[] {
    const normal = this.#library.normalizer?.(text) ?? text
    return this.#library.pre_tokenizer?.(normal, { section_index: 0 }) ?? [normal]
  }
}

/** Metaspace cuts a text before each word unless its `split` is false; the library leaves that out. */
function splitWords(library: LibraryTokenizer, settings: unknown): void {
  const metaspace = z.looseObject({
    type: z.literal('Metaspace'),
    split: z.boolean().default(true),
    replacement: z.string(),
  })
  const checked = metaspace.safeParse(settings)
  const { pre_tokenizer } = library
  if (!checked.success || !checked.data.split || pre_tokenizer === null) return
  const mark = checked.data.replacement
  library.pre_tokenizer = (text, options) =>
    pre_tokenizer(text, options).flatMap((part) =>
      part.split(mark).flatMap((word, i) => (i > 0 ? [mark + word] : word === '' ? [] : [word])),
    )
}

/** Words repeat: their tokens are cached. Measured on 13 MB of English: unigram 57 s without, BPE 74 s. */
function rememberParts({ model }: LibraryTokenizer): void {
  const encode = model.encode.bind(model)
  const known = new Map<string, readonly string[]>()
  model.encode = (parts) =>
    parts.flatMap((part) => {
      let tokens = known.get(part)
      if (tokens === undefined) {
        tokens = encode([part])
        if (known.size >= mostRemembered) known.clear()
        if (part.length <= longestRemembered) known.set(part, tokens)
      }
      return tokens
    })
}

/** Bounds of the memory for known words: about 10 MB. */
const mostRemembered = 65_536
const longestRemembered = 40
