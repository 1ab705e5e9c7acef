import { readBytes } from '../files.ts'
import { decodeUtf8 } from '../text/encoding.ts'

/** Reads a UTF-8 text file of at most `maxBytes` (default 2^28). */
export async function readText(path: string, maxBytes = 2 ** 28): Promise<string> {
  return decodeUtf8(await readBytes(path, maxBytes), path)
}
