/**
 * UTF-8 that was read in another encoding ("schÃ¶n" for "schön"). A smaller rule than ftfy's (Speer 2019), which judges pairs of some 400
 * characters: a text is changed if it has a sequence that hardly means itself, and reads as UTF-8.
 */
import { encodeSingleByte, misreadings, type SingleByte, windows1252 } from './single-byte.ts'

const [, western, cyrillic] = misreadings as readonly [SingleByte, SingleByte, SingleByte]
const macintosh = misreadings.at(-1) as SingleByte

const classOf = (characters: readonly string[]): string => `[${characters.join('').replace(/[\\\]^-]/g, '\\$&')}]`
const charactersBetween = ({ characters }: SingleByte, first: number, last: number) => characters.slice(first, last + 1)

/** Characters of the bytes that continue one of UTF-8, read as Windows-1252 or as Latin-1. */
const followers = [...charactersBetween(western, 0x80, 0xbf), ...controls()]
const follower = classOf(followers)
/** A space may stand for the one that does not break. */
const spacedFollower = classOf([' ', ...followers])
/** Without what also stands behind letters: spaces, dashes, quotes, dots. */
const telling = classOf(followers.filter((character) => !'\u00a0\u00ad·´–—…‘’“”‚„‹›«»'.includes(character)))
const macintoshFollower = classOf(charactersBetween(macintosh, 0x80, 0xbf))
const cyrillicFollower = classOf(charactersBetween(cyrillic, 0x80, 0xbf))

function controls(): string[] {
  return Array.from({ length: 0x20 }, (_, i) => String.fromCharCode(0x80 + i))
}

/** Sequences of two, three and four bytes that hardly mean themselves. */
const suspicious = new RegExp(
  [
    `[ÂÃ]${follower}`,
    `[Ä-ÑØÜÝ][ƒ†‡ˆ‰˜¤¦§¨ª¬¯°±²³µ¶¸¹º¼½¾]`,
    '[a-z][Ä-ÑØÜÝ][€‚¡¢£¥©¿]',
    `[ÎÐ]${telling}`,
    'ß[€ƒ†‡ˆ‰˜¢£¤¥¦¨ª¬¯¸º]',
    '×[ƒ†‡ˆ‰˜¡¤¦¨©ª¬¯²³¸º¿]',
    // One such pair may mean itself (CAFÉ®, Fuß²), several hardly do.
    `(?:[Ä-ß]${telling}){2}`,
    'Å“',
    // "â„¢" alone is left as it is, as ftfy leaves it.
    `(?!â„¢)[à-ï]${telling}${follower}`,
    `(?!â„¢)[à-ï]${follower}${telling}`,
    // A space in place of the one that does not break, behind a letter or a mark or at the beginning.
    '(?:^|[a-z]\\s?)[ÃÂ] |[.,?!®»”›™]Â ',
    `ð${follower}{3}`,
    `(?:[РС]${cyrillicFollower}){2}`,
    '[вāβ][Ђ€]',
    // Latin letters, and quotes and dashes, read as old Macintoshes read them.
    `√${macintoshFollower}`,
    `‚Ä${macintoshFollower}`,
    classOf(controls()),
  ].join('|'),
  'u',
)

/** Whole sequences of UTF-8 read as Windows-1252, one after the other. */
const embedded = new RegExp(`(?:[Â-ß]${spacedFollower}|[à-ï]${spacedFollower}{2}|[ð-ô]${spacedFollower}{3})+`, 'gu')

/** Sequences of UTF-8 in which a space stands for byte A0, a space that does not break: some program took the one for the other. */
const spaced = new RegExp(
  [
    '[\\xc2\\xc3\\xc5\\xce\\xd0\\xd9] ',
    '[\\xe2\\xe3] [\\x80-\\x84\\x86-\\x9f\\xa1-\\xbf]',
    '[\\xe0-\\xe3][\\x80-\\x84\\x86-\\x9f\\xa1-\\xbf] ',
    '\\xf0 [\\x80-\\xbf]{2}',
    '\\xf0[\\x80-\\xbf] [\\x80-\\xbf]',
    '\\xf0[\\x80-\\xbf]{2} ',
  ].join('|'),
  'g',
)

/** With those bytes put back; "à" as a word keeps a space behind it, but in Portuguese "àquele" and the like. */
function withUnbreakableSpaces(bytes: Uint8Array): Uint8Array {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  const restored = text
    .replace(/\xc3 (?! |quele|quela|quilo|s )/g, '\xc3\xa0 ')
    .replace(spaced, (sequence) => sequence.replaceAll(' ', '\xa0'))
  return Uint8Array.from(restored, (character) => character.charCodeAt(0))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The text as UTF-8, if all of it was read in one of the encodings. */
function rereadWhole(text: string): string | undefined {
  for (const encoding of misreadings) {
    const bytes = encodeSingleByte(text, encoding)
    const reading = bytes && decoded(withUnbreakableSpaces(bytes))
    if (reading !== undefined) return reading
  }
  return undefined
}

function repairedOnce(text: string): string {
  if (!suspicious.test(text)) return text
  const whole = rereadWhole(text)
  if (whole !== undefined) return whole
  return text.replace(embedded, (part) => (suspicious.test(part) ? (rereadWhole(part) ?? part) : part))
}

/** A text misread once or several times, read rightly; any other as it is. */
export function repairMojibake(text: string): string {
  let [before, after] = ['', text]
  while (after !== before) [before, after] = [after, repairedOnce(after)]
  return after
}

/** Controls U+0080 to U+009F are Windows-1252 that was read as Latin-1. */
export function repairControls(text: string): string {
  return text.replace(/[\u0080-\u009f]/g, (character) => windows1252[character.charCodeAt(0)] ?? character)
}
