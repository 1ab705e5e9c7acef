/** The text of language pre-training: characters or byte-level tokens, and what counting and compressing make of the same text. */
import { brotliCompressSync, constants } from 'node:zlib'
import { z } from 'zod'
import type { Dataset } from '../../../data/dataset.ts'
import { readTokenizer, trainByteLevel } from '../../../data/index.ts'
import { describeSides, openingOf, sharedContent } from '../../../data/opening.ts'
import { tokenWindows } from '../../../data/text/windows.ts'
import type { KnownData, OpenedData } from '../../../tasks/define.ts'
import { blendedBits } from '../../../tasks/language/blended-contexts.ts'
import { encodeCharacters } from '../../../tasks/language/characters.ts'
import { characterDataSettings, openBook, requireAlphabet } from '../../../tasks/language/open-characters.ts'
import { pathSetting } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { codecOf, type LanguageFacts } from './codec.ts'

/** How text becomes tokens. */
export const tokenSettings = z.strictObject({
  kind: z
    .enum(['characters', 'bpe'])
    .default('characters')
    .describe('characters, or byte-level BPE as GPT-2 has it, learned from the training text'),
  size: z.number().int().min(257).default(2000).describe('tokens of a learned vocabulary'),
  file: pathSetting("a tokenizer.json instead, such as GPT-2's, which its weights need"),
})

export type TokenSettings = z.infer<typeof tokenSettings>

export const languageDataSettings = characterDataSettings

export type LanguageDataSettings = z.infer<typeof languageDataSettings>

export type LanguageFields = 'input' | 'target'
export type OpenedLanguage = OpenedData<LanguageFacts, LanguageFields>

/** What counting in the training text, and compressing, make of the test text. */
function baselinesOf(train: string, test: string): LanguageFacts['baselines'] {
  const alphabet = requireAlphabet(train)
  const [learned, held] = [encodeCharacters(train, alphabet), encodeCharacters(test, alphabet)]
  const bits = blendedBits(learned, held, alphabet.characters.length, 5)
  const packed = brotliCompressSync(Buffer.from(test), {
    params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS },
  })
  const [unigram = 0, bigram = 0] = bits
  return { unigram, bigram, ppm: bits.at(-1) ?? 0, brotli: (8 * packed.length) / [...test].length }
}

async function vocabularyOf(tokens: TokenSettings, text: string) {
  if (!tokens.file && tokens.kind === 'characters') {
    const { characters } = requireAlphabet(text)
    return { characters: [...characters], vocab_size: characters.length }
  }
  const tokenizer = tokens.file ? await readTokenizer(tokens.file) : trainByteLevel([text], tokens.size)
  return { tokenizer: tokenizer.file as NonNullable<LanguageFacts['tokenizer']>, vocab_size: tokenizer.size }
}

/** Windows of `length` tokens, of the text to train on and of the text held out. */
export async function openLanguage(
  { data, tokens }: { readonly data: LanguageDataSettings; readonly tokens: TokenSettings },
  length: number,
  known?: KnownData<LanguageFacts>,
): Promise<OpenedLanguage> {
  const { test_characters, ...sources } = data
  const { train, test: whole, found, divided } = await openBook(sources, known)
  const test = [...whole].slice(0, test_characters).join('')
  const vocabulary = known?.facts ?? (await vocabularyOf(tokens, train))
  const { encode } = codecOf(vocabulary)
  const [trainTokens, testTokens] = [encode(train), encode(test)]
  if (trainTokens.length <= length || testTokens.length <= length) {
    throw new UsageError(
      `text of more than ${length} tokens is needed to train on and to test with, found ${trainTokens.length} and ${testTokens.length}`,
      {
        hint: 'give more text, a greater data.test_share, text to test with (data.test), or a smaller model.n_positions',
      },
    )
  }
  const windows = (text: Int32Array): Dataset<LanguageFields> => tokenWindows(text, { length })
  const facts: LanguageFacts = known?.facts ?? {
    ...vocabulary,
    characters_per_token: [...test].length / testTokens.length,
    baselines: baselinesOf(train, test),
  }
  const parts = [
    ...found,
    describeSides('token', trainTokens.length, testTokens.length),
    `${facts.vocab_size.toLocaleString('en')} different ones`,
  ]
  return {
    train: windows(trainTokens),
    test: windows(testTokens),
    facts,
    opening: openingOf(parts, sharedContent(divided), divided),
  }
}
