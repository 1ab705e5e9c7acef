/** Files of the user's that are text: words, sentences, translations. */
import { readFile } from 'node:fs/promises'
import { cannotRead, systemReason } from '../../io/errors.ts'
import { UsageError } from '../../util/errors.ts'

/** The text of a file, without a byte order mark. Throws a UsageError if it is not there, or cannot be read. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
  } catch (error) {
    if (systemReason(error) === 'ENOENT') throw new UsageError(`${path}: no such file`, { cause: error })
    throw cannotRead(path, error)
  }
}
