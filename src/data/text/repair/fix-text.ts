/** Unicode text set right as Python's ftfy 6 does it (`fix_text`, defaults), which CLIP's tokenizer calls first. */
import { namedEntity, unescapeHtml } from './entities.ts'
import { repairControls, repairMojibake } from './mojibake.ts'

/** Ligatures, and digraphs that are there for old encodings only. */
const ligatures: Readonly<Record<string, string>> = {
  Ĳ: 'IJ',
  ĳ: 'ij',
  ŉ: 'ʼn',
  Ǳ: 'DZ',
  ǲ: 'Dz',
  ǳ: 'dz',
  Ǆ: 'DŽ',
  ǅ: 'Dž',
  ǆ: 'dž',
  Ǉ: 'LJ',
  ǈ: 'Lj',
  ǉ: 'lj',
  Ǌ: 'NJ',
  ǋ: 'Nj',
  ǌ: 'nj',
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬂ: 'fl',
  ﬃ: 'ffi',
  ﬄ: 'ffl',
  ﬅ: 'ſt',
  ﬆ: 'st',
}
const ligature = new RegExp(`[${Object.keys(ligatures).join('')}]`, 'g')
const escapeCharacter = '\u001b'
const terminalEscape = new RegExp(`${escapeCharacter}\\[[\\d;]*[a-zA-Z]`, 'g')

/** Entities with a semicolon; names in capitals too, where only small letters are known. */
function unescapeEntities(text: string): string {
  return text.replace(/&#?[0-9A-Za-z]{1,24};/g, (entity) => {
    if (entity.startsWith('&#')) {
      const character = unescapeHtml(entity)
      return character.includes(';') ? entity : character
    }
    const known = namedEntity(entity)
    if (known !== undefined) return known
    const isCapitals = entity === entity.toUpperCase() && unescapeHtml(entity) === entity
    return (isCapitals ? namedEntity(entity.toLowerCase())?.toUpperCase() : undefined) ?? entity
  })
}

/** Half and full width forms as plain ones, and the wide space. */
const fixWidth = (text: string): string =>
  text.replace(/[\uff01-\uffef]/g, (form) => form.normalize('NFKC')).replaceAll('\u3000', ' ')

/** What is hardly meant: controls but tab and line ends, marks of direction of old, byte order marks, annotations. */
function isControl(code: number): boolean {
  const isOldControl = code < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d].includes(code)
  const isMark = (code >= 0x206a && code <= 0x206f) || code === 0xfeff || (code >= 0xfff9 && code <= 0xfffc)
  return isOldControl || code === 0x7f || isMark
}

const withoutControls = (text: string): string =>
  [...text].filter((character) => !isControl(character.codePointAt(0) ?? 0)).join('')

const fixes: readonly ((text: string) => string)[] = [
  repairMojibake,
  repairControls,
  (text) => text.replace(ligature, (letters) => ligatures[letters] ?? letters),
  fixWidth,
  (text) => text.replace(/[\u02bc\u2018-\u201b]/g, "'").replace(/[\u201c-\u201f]/g, '"'),
  (text) => text.replace(/\r\n|[\r\u2028\u2029\u0085]/g, '\n'),
  (text) => text.replace(/\p{Surrogate}/gu, '\ufffd'),
  (text) => text.replace(terminalEscape, ''),
  withoutControls,
  (text) => text.normalize('NFC'),
]

function fixLine(line: string, isHtml: boolean): string {
  let [before, after]: [string | undefined, string] = [undefined, line]
  while (after !== before) {
    before = after
    after = fixes.reduce((text, fix) => fix(text), isHtml ? after : unescapeEntities(after))
  }
  return after
}

/** All repairs, line by line, until nothing changes. Entities stay from the first line on that has a "<", which may be HTML. */
export function fixText(text: string): string {
  let isHtml = false
  const lines = text.split(/(?<=\n)/)
  return lines
    .map((line) => {
      isHtml ||= line.includes('<')
      return fixLine(line, isHtml)
    })
    .join('')
}
