/** Byte-level BPE, the tokens of GPT-2: words are bytes, so that nothing is unknown (Radford et al. 2019, section 2.2). */
import { UsageError } from '../../util/errors.ts'
import { learnMerges } from './pair-merging.ts'
import { TextTokenizer } from './tokenizer.ts'
import { bpeModel } from './tokenizer-file.ts'

const endOfText = '<|endoftext|>'

/** GPT-2's words: a contraction's end, letters, digits or other signs with the space before them, or white space. */
const words = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

/** A visible character for each byte: itself where it is one, else one from 256 on, in the order of the bytes. */
const characterOfByte: readonly string[] = (() => {
  const isVisible = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isVisible(byte) ? byte : next++))
})()

/** A word as the characters of its UTF-8 bytes. */
function bytesOf(word: string): string[] {
  return Array.from(new TextEncoder().encode(word), (byte) => characterOfByte[byte] ?? '')
}

/**
 * Learns byte-level merges from texts, in the `tokenizer.json` form of GPT-2: ids 0 to 255 are the bytes, the last one ends a text. `size`:
 * tokens in all, at least 257. Throws a UsageError for fewer.
 */
export function trainByteLevel(texts: Iterable<string>, size: number): TextTokenizer {
  const first = [...characterOfByte].sort()
  if (size < first.length + 1)
    throw new UsageError(`a byte-level vocabulary has at least ${first.length + 1} tokens, found ${size}`)
  const counts = new Map<string, number>()
  for (const text of texts) {
    for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const counted = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, count]) => ({ tokens: bytesOf(word), count }))
  const merges = learnMerges(counted, size - first.length - 1, { join: (left, right) => left + right })
  const tokens = [...new Set([...first, ...merges.map(({ merged }) => merged)]), endOfText]
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  return new TextTokenizer({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [
      {
        id: tokens.length - 1,
        content: endOfText,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      ...bpeModel(
        tokens,
        merges.map(({ left, right }) => [left, right]),
      ),
      unk_token: null,
    },
  })
}
