/** Wording of this folder's errors: one line, whatever text a hostile file has in it, and what to do about it. */
import { FormatError } from '../util/errors.ts'

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
