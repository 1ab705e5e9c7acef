/** SentencePiece models as `tokenizer.json`: the same ids for the same text. */
import { toBase64 } from '../../util/base64.ts'
import { FormatError } from '../../util/errors.ts'
import type { TokenizerFile } from './tokenizer.ts'
import { bpeModel, unigramModel, wordStart } from './tokenizer-file.ts'

/** What a SentencePiece model says; lists by id. */
export interface SentencePieceModel {
  readonly kind: 'bpe' | 'unigram'
  readonly pieces: readonly string[]
  readonly scores: readonly number[]
  /** normal, unknown, control, unused. */
  readonly types: readonly string[]
  /** The table of a normalisation such as nmt_nfkc. Default: the identity. */
  readonly charsmap?: Uint8Array
}

export interface SentencePieceOptions {
  /** Whether `[MASK]` and other control pieces are recognised where a text has them. Default: false, as in SentencePiece. */
  readonly recognizeControl?: boolean
}

const replace = (Regex: string, content: string) => ({ type: 'Replace', pattern: { Regex }, content })

/**
 * The tokenizer of a SentencePiece model: runs of spaces are one, those at the ends none, one is put in front. A `▁` of the text is a
 * space that counts, but for the last ones; decoded, spaces in front go. BPE merges the neighbours whose piece has the highest score, the
 * leftmost of equal ones; neighbouring unknown characters are one <unk>. Two marks are for what the library `tokenizers`, which passes them
 * over, does in another way: `match: 'longest'` at the table of a normalisation, which it applies otherwise to some letters with marks, and
 * the `scores` of BPE's pieces, since it merges pieces only, and equal scores in the order of ids. Control pieces and <unk> are ids that no
 * text can write, unless they are to be recognised.
 */
export function sentencePieceTokenizer(model: SentencePieceModel, options: SentencePieceOptions = {}): TokenizerFile {
  const { kind, pieces, scores, types, charsmap } = model
  const unknownId = types.indexOf('unknown')
  if (unknownId < 0) throw new FormatError('a SentencePiece model must have a piece of type "unknown"')
  const table = charsmap ? [{ type: 'Precompiled', precompiled_charsmap: toBase64(charsmap), match: 'longest' }] : []
  const spaces = [
    replace(`\\A +|[ ${wordStart}]+\\z`, ''),
    replace(' +', wordStart),
    replace('\\A(?=[\\s\\S])', wordStart),
  ]
  const named = options.recognizeControl ? ['normal', 'control', 'unknown'] : ['normal']
  // Unigram takes any piece it finds in the text: what must not be found gets a name that no text has.
  const listed = pieces.map((piece, id) => (named.includes(types[id] ?? '') ? piece : `\0${piece}`))
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: options.recognizeControl ? controlTokens(model) : [],
    normalizer: { type: 'Sequence', normalizers: [...table, ...spaces] },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: wordStart }, content: ' ' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: Number.MAX_SAFE_INTEGER, stop: 0 },
      ],
    },
    model:
      kind === 'bpe'
        ? { ...bpeModel(listed, mergesOf(model), listed[unknownId]), scores: mergeScores(model) }
        : unigramModel(
            listed.map((piece, id) => [piece, scores[id] ?? 0]),
            unknownId,
          ),
  }
}

/** The control pieces as special tokens. */
function controlTokens({ pieces, types }: SentencePieceModel) {
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return pieces.flatMap((content, id) => (types[id] === 'control' ? [{ id, content, ...plain }] : []))
}

/** The scores of the pieces that BPE merges to, those of more than one character; what is unused it takes apart in the end. */
function mergeScores({ pieces, scores, types }: SentencePieceModel): [string, number][] {
  return pieces.flatMap((piece, id) => {
    const isMerged = types[id] === 'normal' || types[id] === 'unused'
    return isMerged && splits(piece).length > 0 ? [[piece, scores[id] ?? 0] satisfies [string, number]] : []
  })
}

/** The splits of all pieces into two pieces, by score and id. */
function mergesOf({ pieces, scores, types }: SentencePieceModel): [string, string][] {
  const text = pieces
    .map((piece, id) => ({ piece, id, score: scores[id] ?? 0 }))
    .filter(({ id }) => types[id] === 'normal')
  const usable = new Set(text.map(({ piece }) => piece))
  return text
    .toSorted((a, b) => b.score - a.score || a.id - b.id)
    .flatMap(({ piece }) => splits(piece).filter(([left, right]) => usable.has(left) && usable.has(right)))
}

/** Every way to cut a piece in two, between characters. */
function splits(piece: string): [string, string][] {
  const characters = [...piece]
  return characters.slice(1).map((_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')])
}
