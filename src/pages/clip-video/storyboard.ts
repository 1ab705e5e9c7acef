/** When what is seen of a storyboard that ends where it began. */
import { type FramePlace, framePlaces, type Segment, segmentsOf } from '../../systems/clip-video/video/timeline.ts'

/** Seconds from a line to the next, pictures a second between them, and frames a second. */
export const pace = { seconds: 2.5, pictures: 10, frames: 24 } as const

/** From each line to the next, and from the last to the first. */
export function loopOf(lines: number): {
  readonly segments: readonly Segment[]
  readonly places: readonly FramePlace[]
} {
  const segments = segmentsOf(
    Array.from({ length: lines + 1 }, (_, i) => i * pace.seconds),
    pace.pictures,
  )
  return { segments, places: framePlaces(segments, Math.round(lines * pace.seconds * pace.frames), pace.frames) }
}

/** The lines of a text that have words. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
