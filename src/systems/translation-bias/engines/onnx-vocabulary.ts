/** Texts as the ids of a translation model, and back: a `tokenizer.json`, or Marian's two SentencePiece models with their common vocabulary. */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readText } from '../../../data/sources/text.ts'
import { sentencePieceTokenizer } from '../../../data/text/sentencepiece.ts'
import { readSentencePiece } from '../../../data/text/sentencepiece-file.ts'
import { TextTokenizer } from '../../../data/text/tokenizer.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'

/** What a model's texts are made of. Neither direction adds or shows the tokens that begin and end a sentence. */
export interface TranslationVocabulary {
  encode(text: string): number[]
  decode(ids: readonly number[]): string
}

const wordStart = '▁'

async function fromPieces(folder: string): Promise<TranslationVocabulary> {
  const path = join(folder, 'vocab.json')
  const ids = await readJson(path, z.record(z.string(), z.number().int().nonnegative()))
  const words = new Map(Object.entries(ids).map(([word, id]) => [id, word]))
  const unknown = ids['<unk>']
  if (unknown === undefined) throw new FormatError(`${path} must have the word "<unk>", found none`)
  const source = join(folder, 'source.spm')
  const tokenizer = new TextTokenizer(sentencePieceTokenizer(readSentencePiece(await readFile(source), source)), source)
  return {
    encode: (text) => tokenizer.encode(text).map((id) => ids[tokenizer.token(id)] ?? unknown),
    decode: (found) =>
      found
        .map((id) => words.get(id) ?? '')
        .join('')
        .replaceAll(wordStart, ' ')
        .trim(),
  }
}

async function fromTokenizer(path: string): Promise<TranslationVocabulary> {
  const tokenizer = new TextTokenizer(await readJson(path, z.looseObject({})), path)
  return {
    encode: (text) => tokenizer.encode(text),
    decode: (ids) => tokenizer.decode([...ids]).trim(),
  }
}

/** Reads a JSON file of a model. Throws a UsageError if it is not there, a FormatError unless it has the form. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(path)
  try {
    return schema.parse(JSON.parse(text))
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : []
    const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : 'it is not JSON'
    throw new FormatError(`${path} cannot be read: ${reason}`, { cause: error })
  }
}

/** The vocabulary of a model's folder. Throws a UsageError if it has none. */
export async function translationVocabulary(folder: string): Promise<TranslationVocabulary> {
  const file = join(folder, 'tokenizer.json')
  if (existsSync(join(folder, 'source.spm'))) return fromPieces(folder)
  if (existsSync(file)) return fromTokenizer(file)
  throw new UsageError(`${folder} must have source.spm and vocab.json, or tokenizer.json, found neither`)
}
