/** HTML entities in texts, as Python's `html.unescape` resolves them: also without a semicolon, where HTML allows it. */
import { decodeEntity } from 'html-entities'
import { windows1252 } from './single-byte.ts'

/** The characters of a name, with its `&` and, if it has one, its semicolon; undefined: there is no such entity. */
export function namedEntity(entity: string): string | undefined {
  const decoded = decodeEntity(entity, { level: 'html5' })
  return decoded === entity ? undefined : decoded
}

const reference = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g

/** All entities of a text resolved once. */
export function unescapeHtml(text: string): string {
  return text.replace(reference, (whole, body: string) =>
    body.startsWith('#') ? numbered(body) : (named(whole) ?? whole),
  )
}

/** The longest beginning that is an entity. */
function named(whole: string): string | undefined {
  for (let end = whole.length; end > 2; end--) {
    const found = namedEntity(whole.slice(0, end))
    if (found !== undefined) return found + whole.slice(end)
  }
  return undefined
}

/** A character by its number; some of what must not stand in HTML is read as HTML's rules for old pages say. */
function numbered(body: string): string {
  const digits = body.replace(/;$/, '').slice(1)
  const code = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10)
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  if (code >= 0x80 && code <= 0x9f) return windows1252[code] ?? ''
  return isForbidden(code) ? '' : String.fromCodePoint(code)
}

/** Controls, and what is no character. */
function isForbidden(code: number): boolean {
  const isControl = code < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(code)
  return isControl || code === 0x7f || (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
}
