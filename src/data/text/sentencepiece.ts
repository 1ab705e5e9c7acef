/** SentencePiece models as `tokenizer.json`: the same ids for the same text. */
import { FormatError } from '../../util/errors.ts'
import type { TokenizerFile } from './tokenizer.ts'
import { bpeModel, unigramModel, wordStart } from './tokenizer-file.ts'

/** What a SentencePiece model says; lists by id. */
export interface SentencePieceModel {
  readonly kind: 'bpe' | 'unigram'
  readonly pieces: readonly string[]
  readonly scores: readonly number[]
  readonly types: readonly string[]
}

const replace = (Regex: string, content: string) => ({ type: 'Replace', pattern: { Regex }, content })

/**
 * The tokenizer of a SentencePiece model with the identity normalisation: runs of spaces are one, those at the ends none, one
 * is put in front. BPE merges the neighbours whose piece has the highest score; neighbouring unknown characters are one <unk>.
 * Control pieces are ids that no text can give.
 */
export function sentencePieceTokenizer(model: SentencePieceModel): TokenizerFile {
  const { kind, pieces, scores, types } = model
  const unknownId = types.indexOf('unknown')
  const unknown = pieces[unknownId]
  if (unknown === undefined) throw new FormatError('a SentencePiece model must have a piece of type "unknown"')
  const text = pieces
    .map((piece, id) => ({ piece, id, score: scores[id] ?? 0 }))
    .filter(({ id }) => types[id] === 'normal')
  const spaces = [replace('\\A +| +\\z', ''), replace(' +', wordStart), replace('\\A(?=[\\s\\S])', wordStart)]
  const usable = new Set(text.map(({ piece }) => piece))
  const merges = text
    .toSorted((a, b) => b.score - a.score || a.id - b.id)
    .flatMap(({ piece }) => splits(piece).filter(([left, right]) => usable.has(left) && usable.has(right)))
  const kept = new Set(text.map(({ id }) => id))
  // Unigram takes any piece it finds in the text: what must not be found gets a name that no text has.
  const listed = pieces.map((piece, id) => (kept.has(id) || id === unknownId ? piece : `\0${piece}`))
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: 'Sequence', normalizers: spaces },
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: 'Metaspace', replacement: wordStart, prepend_scheme: 'always', split: false },
    model:
      kind === 'bpe'
        ? bpeModel(pieces, merges, unknown)
        : unigramModel(
            listed.map((piece, id) => [piece, scores[id] ?? 0]),
            unknownId,
          ),
  }
}

/** Every way to cut a piece in two, between characters. */
function splits(piece: string): [string, string][] {
  const characters = [...piece]
  return characters.slice(1).map((_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')])
}
