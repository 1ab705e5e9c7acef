/** Byte-level BPE, the tokens of GPT-2: words are bytes, so that nothing is unknown (Radford et al. 2019, section 2.2). */
import { requireCount } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import { byteCharacters, byteLevelWords, characterOfByte } from './hugging-face/byte-characters.ts'
import { learnMerges } from './pair-merging.ts'
import { TextTokenizer } from './tokenizer.ts'
import { bpeModel } from './tokenizer-file.ts'
import { eachText, type Texts } from './training-texts.ts'

const endOfText = '<|endoftext|>'

/**
 * Learns byte-level merges from texts, in the `tokenizer.json` form of GPT-2: ids 0 to 255 are the bytes, the last one ends a text. `size`:
 * tokens in all, at least 257. Throws a UsageError for fewer, and for what is no list of texts.
 */
export function trainByteLevel(texts: Texts, size: number): TextTokenizer {
  const first = [...characterOfByte].sort()
  requireCount('trainByteLevel', 'size', size, 0, UsageError)
  if (size < first.length + 1)
    throw new UsageError(`a byte-level vocabulary has at least ${first.length + 1} tokens, found ${size}`)
  const counts = new Map<string, number>()
  for (const text of eachText('trainByteLevel', texts)) {
    for (const [word] of text.matchAll(byteLevelWords)) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const counted = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, count]) => ({ tokens: [...byteCharacters(word)], count }))
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
