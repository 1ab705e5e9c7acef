/** Captions: a line of lyrics, wrapped as textwrap3 0.9.2 does, which the official script calls: Python's textwrap, and em dashes. */

/** Characters in a line of a caption, at most. */
const captionWidth = 35

const white = '[\\t\\n\\v\\f\\r ]'
const black = '[^\\t\\n\\v\\f\\r ]'
const word = '[\\p{L}\\p{N}_]'
const letter = '[\\p{L}\\p{Nl}\\p{No}_]'
const beforeDash = '[\\p{L}\\p{N}_!"\'&.,?]'

/** A dash of several strokes, or a long one. */
const dash = '(?:-{2,}|\u2014)'

/** White space, or a dash between words, or a word up to a hyphen behind which it may be broken. */
const chunk = new RegExp(
  [
    `${white}+`,
    `(?<=${beforeDash})${dash}(?=${word})`,
    `${black}+?(?:-(?:(?<=${letter}{2}-)|(?<=${letter}-${letter}-))(?=${letter}-?${letter})|(?=${white}|$)|(?<=${beforeDash})(?=${dash}${word}))`,
  ].join('|'),
  'gu',
)

const lengthOf = (text: string): number => [...text].length

/** Tabs to the next multiple of eight, all other white space to single spaces. */
function withoutTabs(text: string): string {
  let column = 0
  const spread = [...text].map((character) => {
    if (character === '\t') {
      const spaces = 8 - (column % 8)
      column += spaces
      return ' '.repeat(spaces)
    }
    column = character === '\n' || character === '\r' ? 0 : column + 1
    return character
  })
  return spread.join('').replace(/[\t\n\v\f\r]/g, ' ')
}

/** Lines of at most `width` characters, broken at spaces and hyphens, and within a word only if it is longer than a line. */
export function wrapText(text: string, width: number): string {
  const chunks = (withoutTabs(text).match(chunk) ?? []).reverse()
  const lines: string[] = []
  while (chunks.length > 0) {
    const line: string[] = []
    let length = 0
    // White space at a break is dropped, at the beginning of the text it stays.
    if (lines.length > 0 && chunks.at(-1)?.trim() === '') chunks.pop()
    for (let next = chunks.at(-1); next !== undefined; next = chunks.at(-1)) {
      if (length + lengthOf(next) > width) break
      length += lengthOf(next)
      line.push(next)
      chunks.pop()
    }
    const rest = chunks.at(-1)
    if (rest !== undefined && lengthOf(rest) > width) {
      const characters = [...rest]
      const room = width < 1 ? 1 : width - length
      line.push(characters.slice(0, room).join(''))
      chunks[chunks.length - 1] = characters.slice(room).join('')
    }
    if (line.at(-1)?.trim() === '') line.pop()
    if (line.length > 0) lines.push(line.join(''))
  }
  return lines.join('\n')
}

/** The caption of an entry: wrapped if it is too long for a line; nothing before the first line. */
export function captionOf(text: string, width = captionWidth): string {
  const shown = text === 'start song' ? ' ' : text
  return lengthOf(shown) > width ? wrapText(shown, width) : shown
}
