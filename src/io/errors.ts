/** Wording of this folder's errors: one line, even for hostile file contents, and what to do about it. */
import { FormatError, UsageError } from '../util/errors.ts'
import { reasonOf } from '../util/system-errors.ts'

const longestQuote = 80

/** A text of a file as an error message shows it: in quotes, escaped, and shortened. */
export function quoted(text: string): string {
  const whole = text.length > longestQuote ? `${text.slice(0, longestQuote)}...` : text
  const escaped = JSON.stringify(whole)
  if (escaped.length <= 2 * longestQuote) return escaped
  // An escape has up to six characters.
  return JSON.stringify(`${text.slice(0, longestQuote / 4)}...`)
}

/** The error of a file that breaks its format. */
export function damaged(message: string): FormatError {
  return new FormatError(message, { hint: 'the file is damaged or incomplete: copy, download or save it again' })
}

/** Why the operating system refused something: `ENOENT`, `ENOSPC`. */
export function systemReason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}

/** The error of a file or folder that the operating system does not let us write. */
export function cannotWrite(path: string, error: unknown): UsageError {
  const code = systemReason(error)
  const reason = code === 'ENOENT' ? 'its folder is not there' : reasonOf(code)
  const hint = reason ?? 'is the folder there, writable, and its disk not full?'
  return new UsageError(`${path}: cannot be written (${code})`, { cause: error, hint })
}

/** The error of a file that the operating system does not let us read. */
export function cannotRead(path: string, error: unknown): UsageError {
  const code = systemReason(error)
  const hint = reasonOf(code) ?? 'is there a file of that name?'
  return new UsageError(`${path}: cannot be read (${code})`, { cause: error, hint })
}
