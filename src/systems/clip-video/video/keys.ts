/** Key pictures: what each line of the lyrics must show, and what it has become. */
import { resolve } from 'node:path'
import { decodeImage } from '../../../data/sources/image.ts'
import { TenfoldError, UsageError } from '../../../util/errors.ts'
import { meanDirection } from '../pairs/retrieval.ts'
import type { OptimisedLine } from './line.ts'
import type { LyricsLine } from './lyrics.ts'
import type { Seer } from './models.ts'
import { seePictureFile } from './picture-prompt.ts'

/** A key picture to be: a line, or what is before the first one and after the last. */
export interface KeyLine {
  readonly time: number
  readonly caption: string
  readonly phrases: readonly string[]
  /** Number of the line, from 1; the beginning and the end have those of their neighbours. */
  readonly number: number
  /** Tells the beginning and the end from the lines with the same words. */
  readonly part: 'start' | 'line' | 'end'
}

/** The lines with a beginning at 0 and an end; both are other pictures of the neighbouring line's words. */
export function keyLines(lines: readonly LyricsLine[], end: number): KeyLine[] {
  const keys = lines.map(
    ({ time, text, phrases }, i): KeyLine => ({ time, caption: text, phrases, number: i + 1, part: 'line' }),
  )
  const [first, last] = [keys[0], keys.at(-1)]
  if (!first || !last) return []
  return [
    ...(first.time > 0 ? [{ ...first, time: 0, caption: '', part: 'start' as const }] : []),
    ...keys,
    { ...last, time: Math.max(end, last.time + 0.1), caption: '', part: 'end' as const },
  ]
}

/** Whether a phrase is the path of a picture. */
export function isPicture(phrase: string): boolean {
  return phrase.startsWith('picture:')
}

function pathOf(picture: string, folder: string): string {
  return resolve(folder, picture.slice('picture:'.length).trim())
}

/** Throws a UsageError that names the line whose picture cannot be read: before the work, not when its turn comes. */
export async function checkPictures(lines: readonly KeyLine[], folder: string): Promise<void> {
  for (const { number, phrases } of lines) {
    for (const phrase of phrases.filter(isPicture)) {
      const path = pathOf(phrase, folder)
      await decodeImage(path, { size: 8, background: 'white' }).catch((error: unknown) => {
        if (!(error instanceof TenfoldError)) throw error
        throw new UsageError(`line ${number}: ${error.message}`, { cause: error })
      })
    }
  }
}

/** The direction in CLIP's space that a line's picture must have: the mean of its phrases and pictures. */
export async function directionOf(line: KeyLine, seer: Seer, folder: string): Promise<Float64Array> {
  const directions: Float64Array[] = []
  for (const phrase of line.phrases) {
    if (isPicture(phrase)) {
      const picture = await decodeImage(pathOf(phrase, folder), { size: seer.side, background: 'white' })
      directions.push(await seePictureFile(seer, picture.data as Uint8Array))
    } else directions.push(...(await seer.readTexts([phrase])))
  }
  return meanDirection(directions)
}

/** A line with its latents. */
export interface MadeLine extends KeyLine {
  readonly made: OptimisedLine
}
