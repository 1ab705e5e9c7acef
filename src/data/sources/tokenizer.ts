import { FormatError } from '../../util/errors.ts'
import { readBytes } from '../files.ts'
import { sentencePieceTokenizer } from '../text/sentencepiece.ts'
import { readSentencePiece } from '../text/sentencepiece-file.ts'
import { TextTokenizer } from '../text/tokenizer.ts'
import { readText } from './text.ts'

/** The largest SentencePiece file that is read, in bytes: published ones have at most 5 MB. */
const largestModel = 2 ** 26

/**
 * Reads a `tokenizer.json`, or a SentencePiece model (`.model`), whose control pieces are recognised in texts. Throws a UsageError
 * if the file can't be read, a FormatError if it is not a tokenizer.
 */
export async function readTokenizer(path: string): Promise<TextTokenizer> {
  if (path.endsWith('.model')) {
    const model = readSentencePiece(await readBytes(path, largestModel), path)
    return new TextTokenizer(sentencePieceTokenizer(model, { recognizeControl: true }), path)
  }
  const text = await readText(path)
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${path}: must be JSON in the tokenizer.json format`, { cause: error })
  }
  return new TextTokenizer(file, path)
}
