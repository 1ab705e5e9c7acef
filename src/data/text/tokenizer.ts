/** Text to token numbers and back, by any file in the standard `tokenizer.json` format. */
import { z } from 'zod'
import { optionsOf, requireText, shown } from '../../util/check.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { AddedTokens, addedToken } from './hugging-face/added-tokens.ts'
import { decoderOf } from './hugging-face/decoders.ts'
import { type Model, modelOf } from './hugging-face/models.ts'
import { type Normalizer, normalizerOf } from './hugging-face/normalizers.ts'
import { type PreTokenizer, preTokenizerOf } from './hugging-face/pre-tokenizers.ts'
import { type SpecialIds, specialNames } from './special-tokens.ts'

/** A `tokenizer.json` as parsed JSON: what is read here; of the model its type only. */
export interface TokenizerFile {
  readonly model: { readonly type?: string | undefined; readonly [field: string]: unknown }
  readonly added_tokens?:
    | readonly { readonly id: number; readonly content: string; readonly [field: string]: unknown }[]
    | undefined
  readonly [field: string]: unknown
}

const tokenizerFile = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  added_tokens: z.array(addedToken).default([]),
})

/** What a file describes. */
interface Pipeline {
  readonly normalize: Normalizer
  readonly preTokenize: PreTokenizer
  readonly model: Model
  readonly added: AddedTokens
  readonly decode: (tokens: readonly string[]) => string
}

function pipelineOf({ model, added_tokens, ...file }: z.infer<typeof tokenizerFile>): Pipeline {
  const normalize = normalizerOf(file.normalizer)
  return {
    normalize,
    preTokenize: preTokenizerOf(file.pre_tokenizer),
    model: modelOf(model),
    added: new AddedTokens(added_tokens, normalize),
    decode: decoderOf(file.decoder),
  }
}

/** A trained tokenizer: WordPiece, BPE (SentencePiece's too), unigram or whole words. */
export class TextTokenizer {
  /** What `tokenizer.json` holds. */
  readonly file: TokenizerFile
  readonly #pipeline: Pipeline
  readonly #ids: ReadonlyMap<string, number>
  readonly #tokens: ReadonlyMap<number, string>
  readonly #special: ReadonlySet<string>
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
      this.#pipeline = pipelineOf(checked.data)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new FormatError(`${source}: must be a tokenizer that can be used here: ${reason}`, { cause: error })
    }
    const { model, added } = this.#pipeline
    this.#special = added.special
    this.#ids = new Map([...model.vocabulary, ...added.contents.map(([id, content]) => [content, id] as const)])
    this.#tokens = new Map([...[...model.vocabulary].map(([token, id]) => [id, token] as const), ...added.contents])
    this.#size = largest(this.#tokens.keys()) + 1
  }

  /** Ids run from 0 to size - 1. */
  get size(): number {
    return this.#size
  }

  /**
   * Token ids of a text. Special tokens written in it are recognised; [CLS] and [SEP] are not added. Throws a FormatError if something
   * is unknown and the vocabulary has no token for it.
   */
  encode(text: string): number[] {
    requireText('encode', 'text', text, UsageError)
    const { added, preTokenize, model } = this.#pipeline
    const ids: number[] = []
    for (const section of added.split(text)) {
      if (typeof section === 'number') ids.push(section)
      else
        for (const part of preTokenize(section.text, section.start === 0))
          for (const id of model.ids(part)) ids.push(id)
    }
    return ids
  }

  /**
   * The text of token ids. `special`: with the special tokens among them (default: without). Throws a UsageError for an id that is not in
   * the vocabulary.
   */
  decode(ids: readonly number[], options: { special?: boolean } = {}): string {
    const { special = false } = optionsOf('decode', options, { special: true }, UsageError)
    const { decode, model } = this.#pipeline
    requireIds(ids)
    const tokens = Array.from(ids, (id) => this.token(id))
    const kept = special ? tokens : tokens.filter((token) => !this.#special.has(token))
    if (kept.length === 0) return ''
    const text = decode(kept)
    if (model.wordEnd === undefined) return text
    // GPT-2's decoder leaves the ends of CLIP's words.
    const words = text.replaceAll(model.wordEnd, ' ')
    return special ? words : words.trim()
  }

  /** The token of an id, as the vocabulary writes it (`##ing`, `▁the`). */
  token(id: number): string {
    const token = this.#tokens.get(id)
    if (token === undefined) throw new UsageError(`token ids must be whole and below ${this.size}, found ${shown(id)}`)
    return token
  }

  /** The id of a token as the vocabulary writes it. */
  id(token: string): number | undefined {
    return this.#ids.get(token)
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
    const named = specialNames.unk.map((name) => this.id(name)).find((id) => id !== undefined)
    const unknown = named ?? this.#pipeline.model.unknownId
    let [total, count] = [0, 0]
    for (const ids of sequences) {
      total += ids.length
      for (const id of ids) if (id === unknown) count++
    }
    return total === 0 ? 0 : count / total
  }

  /** Normalised parts of a text that are tokenised on their own: what a vocabulary is trained on. */
  parts(text: string): string[] {
    const { normalize, preTokenize } = this.#pipeline
    return preTokenize(normalize(text), true)
  }
}

function requireIds(ids: unknown): void {
  if (typeof ids === 'object' && ids !== null && Symbol.iterator in ids) return
  throw new UsageError(`decode: ids must be a list of whole numbers, found ${shown(ids)}`)
}
