/** Builds `tokenizer.json` files: around a learned vocabulary, or from a SentencePiece model's pieces. */
import { specialTokens } from './special-tokens.ts'
import type { TokenizerFile } from './tokenizer.ts'

/** How words are cut into tokens. */
export type TokenizerKind = 'wordpiece' | 'bpe' | 'unigram'

/** SentencePiece's mark of a word's start, instead of the space before it. */
export const wordStart = '▁'

/** WordPiece's mark of a token that continues a word. */
export const continuation = '##'

const clsId = specialTokens.indexOf('[CLS]')
const sepId = specialTokens.indexOf('[SEP]')

const special = (id: '[CLS]' | '[SEP]', type_id: number) => ({ SpecialToken: { id, type_id } })
const sequence = (id: 'A' | 'B', type_id: number) => ({ Sequence: { id, type_id } })

/** [CLS] A [SEP] and [CLS] A [SEP] B [SEP], the second part with type 1. */
const template = {
  type: 'TemplateProcessing',
  single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
  pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0), sequence('B', 1), special('[SEP]', 1)],
  special_tokens: {
    '[CLS]': { id: '[CLS]', ids: [clsId], tokens: ['[CLS]'] },
    '[SEP]': { id: '[SEP]', ids: [sepId], tokens: ['[SEP]'] },
  },
}

/** Puts spaces around Chinese characters, which then are words of their own. */
const chineseApart = {
  type: 'BertNormalizer',
  clean_text: false,
  handle_chinese_chars: true,
  strip_accents: false,
  lowercase: false,
}

const replace = (Regex: string, content: string) => ({ type: 'Replace', pattern: { Regex }, content })

/**
 * The file around a model whose first ids are the special tokens. WordPiece: words, punctuation and Chinese characters apart, as BERT.
 * Others: spaces become part of the words (`▁the`). `lowercase` also takes accents away, and Korean syllables into their letters; marks
 * that are letters of their own (kana's, Indic and Thai vowels) stay.
 */
export function tokenizerFileOf(
  kind: TokenizerKind,
  lowercase: boolean,
  model: Record<string, unknown>,
): TokenizerFile {
  const letters = lowercase
    ? [{ type: 'NFD' }, { type: 'Lowercase' }, replace('[\u0300-\u036f]', '')]
    : [{ type: 'NFC' }]
  const spaces = [replace('\\s+', ' '), replace(' $', '')]
  const marked = { replacement: wordStart, prepend_scheme: 'first', split: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: 'Sequence', normalizers: [...letters, ...(kind === 'wordpiece' ? [chineseApart] : spaces)] },
    pre_tokenizer: kind === 'wordpiece' ? { type: 'BertPreTokenizer' } : { type: 'Metaspace', ...marked },
    post_processor: template,
    decoder:
      kind === 'wordpiece'
        ? { type: 'WordPiece', prefix: continuation, cleanup: true }
        : { type: 'Metaspace', ...marked },
    model,
  }
}

const idsOf = (tokens: readonly string[]): Record<string, number> =>
  Object.fromEntries(tokens.map((token, id) => [token, id]))

/** The `model` part for WordPiece: the longest known token first. */
export function wordPieceModel(tokens: readonly string[]): Record<string, unknown> {
  const longest = { max_input_chars_per_word: 100, continuing_subword_prefix: continuation }
  return { type: 'WordPiece', unk_token: specialTokens[0], ...longest, vocab: idsOf(tokens) }
}

/** The `model` part for BPE: pairs are merged in the order of `merges`. */
export function bpeModel(
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
  unknown: string = specialTokens[0],
): Record<string, unknown> {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: unknown,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: false,
    ignore_merges: false,
    vocab: idsOf(tokens),
    merges,
  }
}

/** The `model` part for unigram: the segmentation of greatest total log probability. */
export function unigramModel(
  pieces: readonly (readonly [token: string, logProbability: number])[],
  unknownId = 0,
): Record<string, unknown> {
  return { type: 'Unigram', unk_id: unknownId, vocab: pieces, byte_fallback: false }
}
