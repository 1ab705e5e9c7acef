/** All frames of the film from the key pictures of its lines. */
import { colourBytes } from '../biggan/sampling.ts'
import { composeFrame, type DrawnCaption } from './canvas.ts'
import { between, type Scene } from './interpolation.ts'
import type { OptimisedLine } from './line.ts'
import type { VideoGenerator } from './models.ts'
import type { FramePlace, Segment } from './timeline.ts'

/** The latents of a line. */
export function sceneOf({ latents, classes }: Pick<OptimisedLine, 'latents' | 'classes'>): Scene {
  return { latents: Float32Array.from(latents), classes: Float32Array.from(classes) }
}

/** A scene's picture [side, side, 3]. */
export async function drawScene(generator: VideoGenerator, scene: Scene): Promise<Uint8Array> {
  const { side } = generator
  return colourBytes(await generator.draw(scene.latents, scene.classes), side, side)
}

/** What frames are made of. */
export interface FilmPlan {
  readonly generator: VideoGenerator
  /** Key pictures; segment i leads from the one of its `key` to the next. */
  readonly scenes: readonly Scene[]
  readonly segments: readonly Segment[]
  readonly places: readonly FramePlace[]
  /** Of each segment. */
  readonly captions: readonly (DrawnCaption | undefined)[]
  readonly size: number
  readonly canvas: number
}

/** The frames in their order, [canvas, canvas, 3] each; one that shows the same as the one before is the same array. */
export async function* filmFrames(plan: FilmPlan, onFrame: (done: number) => void): AsyncGenerator<Uint8Array> {
  const { generator, scenes, segments, places, captions, size, canvas } = plan
  let last: { readonly place: FramePlace; readonly frame: Uint8Array } | undefined
  for (const [i, place] of places.entries()) {
    if (last?.place.segment !== place.segment || last.place.picture !== place.picture) {
      const { key = 0, weights = [0] } = segments[place.segment] ?? {}
      const [from, to] = [scenes[key], scenes[key + 1]]
      if (!from || !to) return
      const picture = await drawScene(generator, between(from, to, weights[place.picture] ?? 0))
      last = { place, frame: composeFrame(picture, { side: generator.side, size, canvas }, captions[place.segment]) }
    }
    onFrame(i + 1)
    yield last.frame
  }
}
