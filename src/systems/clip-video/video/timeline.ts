/** Which picture is seen when: from key picture to key picture, as many pictures a second as the settings say, at the film's frame rate. */
import { blendWeights, pictureCount } from './interpolation.ts'

/** Between two key pictures. */
export interface Segment {
  /** Number of the first key picture; the second one is the next. */
  readonly key: number
  readonly start: number
  readonly seconds: number
  /** Share of the second key picture in each picture; both ends are among them. */
  readonly weights: readonly number[]
}

/** What a frame shows. */
export interface FramePlace {
  readonly segment: number
  /** A number of the segment's weights. */
  readonly picture: number
}

/** Segments between key pictures at rising times [0, ..., end]; `perSecond` pictures a second, at least one each. */
export function segmentsOf(times: readonly number[], perSecond: number): Segment[] {
  return times.slice(0, -1).map((start, key) => {
    const seconds = (times[key + 1] ?? start) - start
    return { key, start, seconds, weights: blendWeights(Math.max(1, pictureCount(seconds, perSecond))) }
  })
}

/** Frame k is what is seen at k / fps: no sum of rounded durations, so that long films stay in time. The last picture stays. */
export function framePlaces(segments: readonly Segment[], count: number, fps: number): FramePlace[] {
  let segment = 0
  return Array.from({ length: count }, (_, k) => {
    const time = k / fps
    while (segment + 1 < segments.length && time >= (segments[segment + 1]?.start ?? 0)) segment++
    const { start = 0, seconds = 0, weights = [0] } = segments[segment] ?? {}
    const picture = Math.floor(((time - start) / seconds) * weights.length)
    return { segment, picture: Math.max(0, Math.min(weights.length - 1, picture)) }
  })
}
