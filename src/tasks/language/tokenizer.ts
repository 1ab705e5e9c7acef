/** The vocabulary of a recipe that reads text: given, or learned from the text. */
import { z } from 'zod'
import { readTokenizer, type TextTokenizer, trainTokenizer } from '../../data/index.ts'
import { pathSetting } from '../../train/settings.ts'

/** How text becomes tokens. */
export function tokenizerSettings(size: number) {
  return z.strictObject({
    file: pathSetting('a tokenizer.json or SentencePiece .model to use; empty: learn one from the training text'),
    kind: z.enum(['wordpiece', 'unigram', 'bpe']).default('wordpiece').describe('how words are cut into tokens'),
    size: z.number().int().min(100).default(size).describe('tokens in the learned vocabulary'),
    lowercase: z.boolean().default(true).describe('learn lower-case letters without accents only'),
  })
}

export type TokenizerSettings = z.infer<ReturnType<typeof tokenizerSettings>>

/** The tokenizer that the settings ask for. */
export async function openTokenizer(settings: TokenizerSettings, texts: readonly string[]): Promise<TextTokenizer> {
  const { file, kind, size, lowercase } = settings
  return file ? readTokenizer(file) : trainTokenizer(texts, { kind, size, lowercase })
}

/** What to do about a text that the vocabulary does not know. */
export const unknownCure = 'learn a vocabulary from this text, with a larger tokenizer.size'
