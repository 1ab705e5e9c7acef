/**
 * Lyrics with times: the original script's `MM:SS text`, with fractions and hours if one wants, LRC (`[mm:ss.xx] text`, its tags, several times a
 * line), SRT. Blank lines are passed over. Every line that cannot be read is named by its number.
 */
import { FormatError } from '../../../util/errors.ts'

/** A line and when it is sung. */
export interface LyricsLine {
  /** Seconds. */
  readonly time: number
  /** What the caption says. */
  readonly text: string
  /** What its picture must show: all of `text | second phrase | picture:FILE`. */
  readonly phrases: readonly string[]
  /** Its number in the file, from 1. */
  readonly line: number
}

/** A line that cannot be used. */
interface Complaint {
  readonly line: number
  readonly reason: string
}

const clock = String.raw`(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})(?:[.,:](\d{1,3}))?`
const bracketed = new RegExp(String.raw`^\[\s*${clock}\s*\]`)
const plain = new RegExp(String.raw`^${clock}(?:\s+|$)(.*)$`)
const arrow = new RegExp(String.raw`^\s*${clock}\s*-->\s*${clock}`)
/** What must be one, but may be wrong. */
const meantAsArrow = /^\s*[\d:.,]+\s*-->/
/** `[ar:Somebody]`, `[offset:+200]` */
const tag = /^\[([a-z#]+):(.*)\]$/i
/** LRC's times of single words. */
const wordTimes = /<\d{1,3}:\d{1,2}(?:[.:]\d{1,3})?>/g

/** Hours, minutes, seconds and fraction as seconds; a text: why not. */
function secondsOf([hours = '0', minutes = '0', seconds = '0', fraction = '']: readonly (string | undefined)[]):
  | number
  | string {
  if (Number(seconds) > 59) return `seconds must be below 60, found ${seconds}`
  if (Number(hours) > 0 && Number(minutes) > 59) return `minutes must be below 60, found ${minutes}`
  const part = fraction === '' ? 0 : Number(fraction) / 10 ** fraction.length
  return 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds) + part
}

const phrasesOf = (content: string): string[] => content.split(/\s*\|\s*/).filter((phrase) => phrase !== '')

function lineOf(time: number, phrases: readonly string[], line: number): LyricsLine {
  return { time, text: phrases.find((phrase) => !phrase.startsWith('picture:')) ?? '', phrases, line }
}

/** Seconds of LRC's offset in milliseconds; undefined: it is none. */
function offsetOf(text: string): number | undefined {
  const seconds = Number(text) / 1000
  return /^\s*([+-]?\d+(\.\d*)?)?\s*$/.test(text) && Number.isFinite(seconds) ? seconds : undefined
}

interface Read {
  /** With the times of the file. */
  readonly lines: readonly LyricsLine[]
  readonly complaints: readonly Complaint[]
  /** Whether the order of the times may differ from the file's: lines that are sung several times. */
  readonly sorted: boolean
  /** How many seconds before its time in the file each line is sung. */
  readonly offset: number
}

/** Lines of a text with their times, in brackets or not. */
function readTimed(rows: readonly string[]): Read {
  const [lines, complaints]: [LyricsLine[], Complaint[]] = [[], []]
  let [offset, sorted] = [0, false]
  for (const [i, row] of rows.entries()) {
    const line = i + 1
    let rest = row.trim()
    const named = tag.exec(rest)
    if (named && !bracketed.test(rest)) {
      const [, name = '', value = ''] = named
      if (name.toLowerCase() !== 'offset') continue
      const seconds = offsetOf(value)
      if (seconds === undefined)
        complaints.push({ line, reason: `offset must be milliseconds, such as +500, found ${JSON.stringify(value)}` })
      else offset = seconds
      continue
    }
    if (rest === '') continue
    const times: (number | string)[] = []
    for (let found = bracketed.exec(rest); found; found = bracketed.exec(rest)) {
      times.push(secondsOf(found.slice(1)))
      rest = rest.slice(found[0].length).trim()
    }
    const unbracketed = times.length === 0 ? plain.exec(rest) : null
    if (unbracketed) {
      times.push(secondsOf(unbracketed.slice(1, 5)))
      rest = unbracketed[5] ?? ''
    }
    const wrong = times.find((time) => typeof time === 'string')
    if (times.length === 0) complaints.push({ line, reason: `has no time: ${JSON.stringify(row.slice(0, 40))}` })
    else if (typeof wrong === 'string') complaints.push({ line, reason: wrong })
    if (times.length === 0 || wrong !== undefined) continue
    sorted ||= times.length > 1
    const phrases = phrasesOf(rest.replace(wordTimes, '').replace(/\s+/g, ' ').trim())
    if (phrases.length === 0) continue // LRC ends a line with an empty one
    for (const time of times) lines.push(lineOf(Number(time), phrases, line))
  }
  return { lines, complaints, sorted, offset }
}

/** When a block of SubRip begins, from its two clocks; a text: why that cannot be. */
function beginOf(clocks: RegExpExecArray): number | string {
  const [begin, end] = [secondsOf(clocks.slice(1, 5)), secondsOf(clocks.slice(5, 9))]
  if (typeof begin === 'string' || typeof end === 'string') return typeof begin === 'string' ? begin : end
  return end > begin ? begin : `must end after it begins, found ${begin.toFixed(2)} s to ${end.toFixed(2)} s`
}

/** SubRip: a number, `from --> to`, lines of text, a blank line. */
function readSubtitles(rows: readonly string[]): Read {
  const [lines, complaints]: [LyricsLine[], Complaint[]] = [[], []]
  let current: { time: number; line: number; text: string[] } | undefined
  const finish = (): void => {
    const content = current?.text.join(' ').replace(/<[^>]*>/g, '')
    const phrases = phrasesOf(content?.trim() ?? '')
    if (current && phrases.length > 0) lines.push(lineOf(current.time, phrases, current.line))
    current = undefined
  }
  for (const [i, row] of rows.entries()) {
    const found = arrow.exec(row)
    if (found || meantAsArrow.test(row)) {
      finish()
      const time = found ? beginOf(found) : `must be HH:MM:SS,mmm --> HH:MM:SS,mmm, found ${JSON.stringify(row)}`
      if (typeof time === 'string') complaints.push({ line: i + 1, reason: time })
      else current = { time, line: i + 1, text: [] }
    } else if (row.trim() === '') finish()
    else if (current) current.text.push(row.trim())
    else if (!/^\s*\d+\s*$/.test(row)) complaints.push({ line: i + 1, reason: 'is text without a time above it' })
  }
  finish()
  return { lines, complaints, sorted: false, offset: 0 }
}

/** Times that do not rise. */
function disorder(lines: readonly LyricsLine[]): Complaint[] {
  return lines.flatMap((line, i) => {
    const before = lines[i - 1]
    if (!before || line.time > before.time) return []
    const told = `${line.time.toFixed(2)} s is not after ${before.time.toFixed(2)} s of line ${before.line}`
    return [{ line: line.line, reason: `times must rise: ${told}` }]
  })
}

/** Reads lyrics. Throws a FormatError that begins with `name` and says what is wrong in which line. */
export function readLyrics(content: string, name = 'lyrics'): readonly LyricsLine[] {
  const rows = content.replace(/^\uFEFF/, '').split(/\r\n?|\n/)
  const isSubtitles = rows.some((row) => arrow.test(row))
  const { lines, complaints, sorted, offset } = isSubtitles ? readSubtitles(rows) : readTimed(rows)
  const ordered = sorted ? lines.toSorted((a, b) => a.time - b.time) : lines
  const all = [...complaints, ...disorder(ordered)]
  const hint = 'a line is a time and a text: 01:23.5 text, [01:23.50] text, or SRT'
  if (all.length > 0) {
    const told = all.slice(0, 10).map(({ line, reason }) => `line ${line} ${reason}`)
    const more = all.length > told.length ? `; and ${all.length - told.length} more` : ''
    throw new FormatError(`${name}: ${told.join('; ')}${more}`, { hint })
  }
  if (ordered.length === 0) throw new FormatError(`${name}: there is no line with a time and a text`, { hint })
  // What is sung before the beginning is sung at the beginning: several lines may be.
  return ordered.map((line) => ({ ...line, time: Math.max(0, line.time - offset) }))
}
