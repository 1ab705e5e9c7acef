/** The models of `tokenizer.json`, which cut words into tokens. Unigram, WordPiece and BPE by ranks of pairs are the library's. */
import { BPE, type ModelClass, Unigram, WordPiece } from '@huggingface/tokenizers'
import { z } from 'zod'
import { FormatError } from '../../../util/errors.ts'
import { remembered } from '../remembered.ts'
import { mergePieces, partsToMerge } from './piece-merging.ts'
import { settingsOf } from './settings.ts'

/** A vocabulary and its way to cut a word. */
export interface Model {
  /** Ids of the tokens of a word. Throws a FormatError if it has unknown ones and the vocabulary no token for them. */
  ids(word: string): readonly number[]
  readonly vocabulary: ReadonlyMap<string, number>
  /** The token for what is unknown. Default: none. */
  readonly unknownId?: number | undefined
  /** What the last token of a word ends with. Default: nothing. */
  readonly wordEnd?: string | undefined
}

/** A model as the file has it. */
export type ModelSettings = Readonly<Record<string, unknown>>

/** Files of old leave the type out. */
function typeOf({ type, vocab, merges, continuing_subword_prefix }: ModelSettings): unknown {
  if (type !== undefined) return type
  if (Array.isArray(vocab)) return 'Unigram'
  if (merges !== undefined) return 'BPE'
  return continuing_subword_prefix === undefined ? 'WordLevel' : 'WordPiece'
}

const noUnknown = (word: string): FormatError =>
  new FormatError(`"${word}" is not in the vocabulary, which has no token for unknown words either`)

/** The vocabulary of all models but unigram: ids by token. */
function vocabularyOf({ vocab }: ModelSettings): Map<string, number> {
  const ids: [string, unknown][] = typeof vocab === 'object' && vocab !== null ? Object.entries(vocab) : []
  return new Map(ids.flatMap(([token, id]) => (typeof id === 'number' ? [[token, id] as const] : [])))
}

/** Each word is a token of its own. */
function wordLevel(settings: ModelSettings): Model {
  const vocabulary = vocabularyOf(settings)
  const { unk_token: unknown } = settings
  const unknownId = typeof unknown === 'string' ? vocabulary.get(unknown) : undefined
  const ids = (word: string): number[] => {
    const id = vocabulary.get(word) ?? unknownId
    if (id === undefined) throw noUnknown(word)
    return [id]
  }
  return { ids, vocabulary, unknownId }
}

/** `spell`: ids for a part of a word that is no token. */
function libraryModel(
  Library: ModelClass,
  settings: ModelSettings,
  spell: (part: string, vocabulary: ReadonlyMap<string, number>) => readonly number[] | undefined = () => undefined,
): Model {
  const model = new Library(settings)
  const unknownId = model.unk_token_id ?? undefined
  const vocabulary = new Map<string, number>()
  for (const [token, id] of model.tokens_to_ids) if (token !== undefined) vocabulary.set(token, id)
  const ids = (word: string): number[] =>
    model([word]).flatMap((token = '') => {
      const id = vocabulary.get(token)
      const found = id === undefined ? (spell(token, vocabulary) ?? unknownId) : id
      if (found === undefined) throw noUnknown(word)
      return found
    })
  return { ids, vocabulary, unknownId }
}

/** Bytes as tokens, where a vocabulary has them: `<0xE2>`. */
function byteIds(text: string, vocabulary: ReadonlyMap<string, number>): number[] | undefined {
  const ids = Array.from(new TextEncoder().encode(text), (byte) =>
    vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
  )
  return ids.every((id) => id !== undefined) ? ids : undefined
}

function bpe(settings: ModelSettings): Model {
  const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix, unk_token, byte_fallback } = settings
  if (prefix) throw new FormatError(`a BPE model must have no continuing_subword_prefix, found "${prefix}"`)
  const model = libraryModel(BPE, settings)
  if (typeof suffix === 'string' && suffix !== '') return { ...model, wordEnd: suffix }
  if (typeof unk_token === 'string' || byte_fallback) return model
  // Without a token for them, unknown characters are as if they were not there: what is around them is merged.
  const known = (word: string): string => [...word].filter((character) => model.vocabulary.has(character)).join('')
  return { ...model, ids: (word) => model.ids(known(word)) }
}

const pieceSettings = z.looseObject({
  scores: z.array(z.tuple([z.string(), z.number()])),
  unk_token: z.string(),
})

/** SentencePiece's BPE, which `scores` ask for. Pieces with a score that the vocabulary lacks are taken apart when all is merged. */
function scoredBpe(settings: ModelSettings): Model {
  const { scores, unk_token } = settingsOf(pieceSettings, settings, 'model BPE:')
  const vocabulary = vocabularyOf(settings)
  const unknownId = vocabulary.get(unk_token)
  if (unknownId === undefined) throw new FormatError(`model BPE: unk_token must be in vocab, found "${unk_token}"`)
  const pieces = new Map(scores)
  const isKept = (piece: string): boolean => vocabulary.has(piece)
  // How a piece is taken apart depends on the whole text: SentencePiece goes by the halves that were the last to meet.
  const partsOf = [...pieces.keys()].every(isKept) ? partsToMerge(pieces.keys()) : (text: string) => [text]
  const idsOf = remembered((part) =>
    mergePieces(part, { scores: pieces, isKept }).map((piece) => vocabulary.get(piece) ?? unknownId),
  )
  const ids = (text: string): number[] => {
    const found: number[] = []
    for (const part of partsOf(text))
      for (const id of idsOf(part)) if (id !== unknownId || found.at(-1) !== unknownId) found.push(id)
    return found
  }
  return { ids, vocabulary, unknownId }
}

const makers: ReadonlyMap<unknown, (settings: ModelSettings) => Model> = new Map([
  ['BPE', (settings) => (settings.scores === undefined ? bpe(settings) : scoredBpe(settings))],
  ['Unigram', (settings) => libraryModel(Unigram, settings, settings.byte_fallback ? byteIds : undefined)],
  ['WordLevel', wordLevel],
  ['WordPiece', (settings) => libraryModel(WordPiece, { continuing_subword_prefix: '##', ...settings })],
])

/** The model that the settings ask for. Throws a FormatError if there is none, or the library's error for wrong settings. */
export function modelOf(settings: ModelSettings): Model {
  const type = typeOf(settings)
  const make = makers.get(type)
  if (!make) throw new FormatError(`there is no model of type "${type}"`)
  const model = make(settings)
  // Measured on 13 MB of English: unigram 57 s without, BPE 74 s.
  return { ...model, ids: remembered(model.ids) }
}
