/** Translations that were made elsewhere: a file of lines `source TAB translation`. */

import { createHash } from 'node:crypto'
import { readText } from '../../../data/sources/text.ts'
import { quoted } from '../../../io/errors.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { linesOf } from '../winomt/sentences.ts'
import type { Engine } from './engine.ts'

/** Texts are equal whichever way their letters are composed, and with blanks around them. */
const keyOf = (source: string): string => source.normalize('NFC').trim()

/** Reads the file. A first line `source TAB translation` is its header. Throws a FormatError that names a malformed line. */
export async function fileEngine(path: string): Promise<Engine> {
  if (path === '') throw new UsageError('the engine "file" needs a file, found none', { hint: '--set file=FILE' })
  const text = await readText(path)
  const translations = new Map<string, { readonly translation: string; readonly line: number }>()
  for (const [i, line] of linesOf(text).entries()) {
    const [source, translation, ...others] = line.split('\t')
    if (source === undefined || translation === undefined || others.length > 0)
      throw new FormatError(`${path}: line ${i + 1} must be "source TAB translation", found ${quoted(line)}`)
    if (i === 0 && source === 'source') continue
    const key = keyOf(source)
    const known = translations.get(key)
    if (known !== undefined && known.translation !== translation)
      throw new FormatError(`${path}: line ${i + 1} translates ${quoted(source)} otherwise than line ${known.line}`)
    if (!known) translations.set(key, { translation, line: i + 1 })
  }
  return {
    // Of its content too: an answer of an earlier file under this name is none of this one.
    identity: `file: ${path} (SHA-256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)})`,
    batch: Number.POSITIVE_INFINITY,
    translate: async (texts) => {
      const missing = texts.filter((each) => !translations.has(keyOf(each)))
      const more = missing.length > 1 ? ` and ${missing.length - 1} more` : ''
      if (missing.length > 0) throw new FormatError(`${path} has no translation of "${missing[0]}"${more}`)
      return texts.map((each) => translations.get(keyOf(each))?.translation ?? '')
    },
  }
}
