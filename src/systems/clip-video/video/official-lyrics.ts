/** Lyrics as the original script reads them, with what it stumbles over. */
import { FormatError } from '../../../util/errors.ts'
import { pythonStrip } from '../../../util/python-text.ts'

/** A line and when it is sung, in seconds. */
export interface LyricsEntry {
  readonly time: number
  readonly text: string
}

/** What Python says where the original script fails. */
export type OfficialLyricsError = 'IndexError' | 'ValueError'

/** Why a text is not in the original's format. */
export class OfficialLyricsFormatError extends FormatError {
  readonly official: OfficialLyricsError

  constructor(message: string, official: OfficialLyricsError, hint: string) {
    super(message, { hint })
    this.official = official
  }
}

const format = 'each line must be MM:SS, one space and the text'

/**
 * The entries of a lyrics file: in each line the first `dd:dd text`. "start song" at 0 is put in front unless the first line is sung there,
 * and "end song" follows 9 seconds after the last line. Times are not compared. Throws where the script fails.
 */
export function officialLyrics(content: string): LyricsEntry[] {
  const text = content.replace(/\r\n?/g, '\n')
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  // All lines are looked through before any time is read.
  const found = lines.map((line, i) => parseLine(line, i + 1))
  const entries = found.map(({ time, text }, i) => ({ time: secondsOf(time, i + 1), text }))
  const [first, last] = [entries[0], entries.at(-1)]
  if (!first || !last) throw new OfficialLyricsFormatError('lyrics: there are no lines', 'IndexError', format)
  const start = first.time === 0 ? [] : [{ time: 0, text: 'start song' }]
  return [...start, ...entries, { time: last.time + 9, text: 'end song' }]
}

/** The first time of a line, and the text behind it. */
function parseLine(line: string, number: number): { readonly time: string; readonly text: string } {
  const match = /(\p{Nd}\p{Nd}:\p{Nd}\p{Nd}) ([^\n]*)/u.exec(pythonStrip(line))
  if (!match) {
    throw new OfficialLyricsFormatError(
      `lyrics, line ${number}: must have a time MM:SS, a space and a text, found ${JSON.stringify(line)}`,
      'IndexError',
      format,
    )
  }
  const [, time = '', text = ''] = match
  return { time, text }
}

/** Seconds of a time, as strptime reads `%M:%S`: the second digits may be of any script, the first ones may not. */
function secondsOf(time: string, number: number): number {
  const [, tenMinutes, minute = '', tenSeconds, second = ''] =
    /^([0-5])(\p{Nd}):(?:([0-5])(\p{Nd})|(?=6[01]))/u.exec(time) ?? []
  if (tenMinutes === undefined) {
    throw new OfficialLyricsFormatError(
      `lyrics, line ${number}: minutes must be at most 59 and seconds at most 61, found ${time}`,
      'ValueError',
      format,
    )
  }
  const seconds = tenSeconds === undefined ? Number(time.slice(-2)) : 10 * Number(tenSeconds) + digitValue(second)
  return 60 * (10 * Number(tenMinutes) + digitValue(minute)) + seconds
}

/** Decimal digits stand in Unicode in runs of ten, from the zero on. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0
  let zero = code
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--
  return code - zero
}
