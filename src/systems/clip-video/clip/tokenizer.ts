/**
 * CLIP's tokenizer: byte pairs (Sennrich et al. 2016) of lower-case words, 49,408 tokens. Its merges are a file of the official code
 * (bpe_simple_vocab_16e6.txt.gz), which is read, not shipped.
 */
import { gunzipSync } from 'fflate'
import { byteCharacters, byteOfCharacter, characterOfByte } from '../../../data/text/hugging-face/byte-characters.ts'
import { mergeIn } from '../../../data/text/pair-merging.ts'
import { remembered } from '../../../data/text/remembered.ts'
import { unescapeHtml } from '../../../data/text/repair/entities.ts'
import { fixText } from '../../../data/text/repair/fix-text.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { pythonWords } from '../../../util/python-text.ts'

/** Merges that are used of the official file. */
const usedMerges = 48_894
const [startToken, endToken, wordEnd] = ['<|startoftext|>', '<|endoftext|>', '</w>']

/**
 * What a text is split into: the two special tokens, endings after an apostrophe, letters, single digits, all else but space. The official
 * pattern ignores case: a long s is an s, and the iota below (U+0345), which is no letter but has one as its capital, is nothing of these.
 */
const piece =
  /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|(?:(?!\u0345)[^\s\u0085\p{L}\p{N}])+/gu

/** Options of `tokenize`. */
export interface TokenizeOptions {
  /** Tokens of a text with the start and end token. Default: 77. */
  readonly contextLength?: number
  /** Cut texts that are too long, their last token becoming the end token. Default: false, they are an error. */
  readonly truncate?: boolean
}

/** A text as the tokenizer sees it: repaired, entities resolved twice, single spaces, lower case. */
export function cleanText(text: string): string {
  return pythonWords(unescapeHtml(unescapeHtml(fixText(text))))
    .join(' ')
    .toLowerCase()
}

/** Texts to token ids and back. */
export class CLIPTokenizer {
  readonly #ranks: ReadonlyMap<string, number>
  readonly #ids: ReadonlyMap<string, number>
  readonly #tokens: readonly string[]
  readonly #pieceIds: (part: string) => readonly number[]

  /** Merges in their order, each two symbols with a space between. */
  constructor(merges: readonly string[]) {
    const bytes = [...characterOfByte].sort()
    const merged = merges.map((merge) => merge.replace(' ', ''))
    this.#tokens = [...bytes, ...bytes.map((byte) => byte + wordEnd), ...merged, startToken, endToken]
    this.#ids = new Map(this.#tokens.map((token, id) => [token, id]))
    this.#ranks = new Map(merges.map((merge, rank) => [merge, rank]))
    this.#pieceIds = remembered((part) => this.#symbols(part).map((symbol) => this.#ids.get(symbol) ?? 0))
  }

  /** Ids run from 0 to size - 1. */
  get size(): number {
    return this.#tokens.length
  }

  get startId(): number {
    return this.size - 2
  }

  get endId(): number {
    return this.size - 1
  }

  /** Token ids of a text, without start and end. */
  encode(text: string): number[] {
    return (cleanText(text).match(piece) ?? []).flatMap((part) => this.#pieceIds(part))
  }

  /** Token ids by words: a word, or a mark, ends with the token that says so. */
  words(ids: readonly number[]): number[][] {
    const words: number[][] = [[]]
    for (const id of ids) {
      words.at(-1)?.push(id)
      if (this.token(id).endsWith(wordEnd)) words.push([])
    }
    return words.filter((word) => word.length > 0)
  }

  /** The text of token ids, with a space after every word. */
  decode(ids: readonly number[]): string {
    const text = ids.map((id) => this.token(id)).join('')
    const codes = [...text].map((character) => byteOfCharacter.get(character) ?? 0x3f)
    return new TextDecoder().decode(Uint8Array.from(codes)).replaceAll(wordEnd, ' ')
  }

  /** The token of an id, as the vocabulary writes it. */
  token(id: number): string {
    const token = this.#tokens[id]
    if (token === undefined) throw new UsageError(`token ids must be whole and below ${this.size}, found ${id}`)
    return token
  }

  /** Texts as a batch: int64 [texts, contextLength], each start, tokens, end and zeros. */
  tokenize(texts: readonly string[], { contextLength = 77, truncate = false }: TokenizeOptions = {}): NDArray {
    if (!Number.isInteger(contextLength) || contextLength < 2)
      throw new UsageError(`tokenize: contextLength must be a whole number of at least 2, found ${contextLength}`)
    const data = new BigInt64Array(texts.length * contextLength)
    for (const [row, text] of texts.entries()) {
      const ids = [this.startId, ...this.encode(text), this.endId]
      if (ids.length > contextLength) {
        if (!truncate) {
          throw new UsageError(
            `tokenize: a text must have at most ${contextLength} tokens, found ${ids.length} in ${JSON.stringify(text)}`,
            { hint: 'truncate: true cuts it off' },
          )
        }
        ids.length = contextLength
        ids[contextLength - 1] = this.endId
      }
      for (const [i, id] of ids.entries()) data[row * contextLength + i] = BigInt(id)
    }
    return { dtype: 'int64', shape: [texts.length, contextLength], data }
  }

  /** The symbols that are left when no two neighbours can be merged. */
  #symbols(part: string): string[] {
    if (part === startToken || part === endToken) return [part]
    const letters = [...byteCharacters(part)]
    let symbols = letters.map((letter, i) => (i === letters.length - 1 ? letter + wordEnd : letter))
    for (;;) {
      const pair = this.#firstPair(symbols)
      if (!pair) return symbols
      const [left, right] = pair
      symbols = mergeIn(symbols, left, right, left + right)
    }
  }

  /** The pair of neighbours that was learned first. */
  #firstPair(symbols: readonly string[]): readonly [string, string] | undefined {
    let [best, lowest]: [readonly [string, string] | undefined, number] = [undefined, Number.POSITIVE_INFINITY]
    for (let i = 0; i + 1 < symbols.length; i++) {
      const [left, right] = [symbols[i] ?? '', symbols[i + 1] ?? '']
      const rank = this.#ranks.get(`${left} ${right}`) ?? Number.POSITIVE_INFINITY
      if (rank < lowest) [best, lowest] = [[left, right], rank]
    }
    return best
  }
}

/** The official vocabulary: its file as it is, packed or not, or the used merges alone. Throws a FormatError that begins with `name`. */
export function readCLIPVocabulary(file: Uint8Array, name = 'CLIP vocabulary'): CLIPTokenizer {
  const isPacked = file[0] === 0x1f && file[1] === 0x8b
  let unpacked: Uint8Array
  try {
    unpacked = isPacked ? gunzipSync(file) : file
  } catch (error) {
    throw new FormatError(`${name}: is damaged, it cannot be unpacked`, { cause: error })
  }
  const lines = new TextDecoder().decode(unpacked).split('\n')
  const merges = (lines[0]?.includes('#version') ? lines.slice(1) : lines).slice(0, usedMerges)
  const wrong = merges.findIndex((line) => line.split(' ').length !== 2)
  if (merges.length === usedMerges && wrong < 0) return new CLIPTokenizer(merges)
  const found = wrong < 0 ? `${merges.length} lines` : `${JSON.stringify(merges[wrong])} as merge ${wrong + 1}`
  throw new FormatError(`${name}: must have ${usedMerges} lines of two symbols, found ${found}`, {
    hint: 'it is bpe_simple_vocab_16e6.txt.gz of openai/CLIP',
  })
}
