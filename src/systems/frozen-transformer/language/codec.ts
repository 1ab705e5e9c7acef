/** Text to the tokens of a language model and back, and what is kept of them with a run. */
import { z } from 'zod'
import { TextTokenizer } from '../../../data/text/tokenizer.ts'
import { decodeCharacters, encodeCharacters } from '../../../tasks/language/characters.ts'

/** What the model is built from, and what its loss is compared with: all in bits of a character of the test text. */
export const languageFacts = z.object({
  /** The alphabet, of character models. */
  characters: z.array(z.string()).optional(),
  /** The vocabulary, of the others. */
  tokenizer: z.looseObject({ model: z.looseObject({}) }).optional(),
  vocab_size: z.number().int().positive(),
  /** Of the test text. */
  characters_per_token: z.number().positive(),
  baselines: z.object({
    /** Every character by how frequent it is. */
    unigram: z.number(),
    /** By the one before. */
    bigram: z.number(),
    /** By the five before, orders blended as in PPM. */
    ppm: z.number(),
    /** The test text compressed alone (Brotli, largest window). */
    brotli: z.number(),
  }),
})

export type LanguageFacts = z.infer<typeof languageFacts>

/** Text to tokens and back. */
export interface LanguageCodec {
  readonly encode: (text: string) => Int32Array
  readonly decode: (tokens: readonly number[]) => string
  /** Tokens that no text should have: the one for unknown characters. */
  readonly never: readonly number[]
}

/** The codec that the facts of a run describe. */
export function codecOf({ characters, tokenizer }: Pick<LanguageFacts, 'characters' | 'tokenizer'>): LanguageCodec {
  if (characters) {
    const facts = { characters }
    return {
      encode: (text) => encodeCharacters(text, facts),
      decode: (tokens) => decodeCharacters(tokens, facts),
      never: [0],
    }
  }
  const vocabulary = new TextTokenizer(tokenizer)
  return {
    encode: (text) => Int32Array.from(vocabulary.encode(text)),
    decode: (tokens) => vocabulary.decode(tokens),
    never: [],
  }
}
