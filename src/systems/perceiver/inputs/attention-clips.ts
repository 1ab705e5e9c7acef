/** What the latents read of a moving picture with sound. */
import type { Figure, Matrix } from '../../../report/figures.ts'
import { picturesOf } from '../../../report/from-tensors.ts'
import { readClipExample } from '../../../tasks/clips/predict.ts'
import type { ClipFacts } from '../../../tasks/clips/settings.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { FormatError } from '../../../util/errors.ts'
import { centred, latentLines, latentsOf, type RowNames } from '../attention-figures.ts'
import { attentionOver } from '../attention-maps.ts'
import type { ReadingPlan } from '../attention-reader.ts'
import { AudioPreprocessor, ImagePreprocessor } from '../preprocess.ts'
import { waveFigure } from './attention.ts'
import type { ClipInputs, ClipPerceiver } from './video.ts'

/** Where the rows of each modality lie in the array: sound first, then the patches, time slowest. */
interface ClipLayout {
  readonly sound: AudioPreprocessor | undefined
  readonly soundRows: number
  /** Patches in time, height and width; undefined: pictures are not read. */
  readonly patches: readonly [time: number, height: number, width: number] | undefined
}

function layoutOf(model: ClipPerceiver): ClipLayout {
  const { audio, image } = model.input_preprocessor.modalities.modalities
  const sound = audio instanceof AudioPreprocessor ? audio : undefined
  // One patch in time leaves no axis of time.
  const [width = 0, height = 0, time = 1] = image instanceof ImagePreprocessor ? image.sizes.toReversed() : []
  return { sound, soundRows: sound?.rows ?? 0, patches: image ? [time, height, width] : undefined }
}

/** Some rows of a map [1, N, M]. */
function partOf(map: NDArray, from: number, to: number): NDArray {
  const lines = latentsOf(map).map((values) => values.slice(from, to))
  return { dtype: 'float32', shape: [1, lines.length, to - from], data: Float32Array.from(lines.flat()) }
}

/** Maps of patches one below the other in the order of time, with a blank line between. */
function inTime(
  values: readonly number[],
  [time, height, width]: readonly [number, number, number],
): Omit<Matrix, 'caption'> {
  const drawn = new Array<number>((time * (height + 1) - 1) * width).fill(0)
  for (const [row, value] of centred(values).entries()) {
    const [line, x] = [Math.floor(row / width), row % width]
    drawn[(line + Math.floor(line / height)) * width + x] = value
  }
  return { values: drawn, width, height: drawn.length / width }
}

function crossFigures(map: NDArray, t: number, { soundRows, patches }: ClipLayout, latents: number): Figure[] {
  const [, , rows] = sizes(map.shape, 3)
  const title = `Cross attention ${t + 1}`
  const sound =
    soundRows > 0
      ? latentLines([partOf(map, 0, soundRows)], latents, {
          title: () => `${title}: the sound`,
          of: 'a piece of the sound',
        })
      : []
  if (!patches) return sound
  const tiles = latentsOf(partOf(map, soundRows, rows)).slice(0, latents)
  return [
    {
      kind: 'heatmaps',
      title: `${title}: the picture`,
      caption: `A tile is one latent, the patches of ${patches[0]} moments one below the other: red where it reads more than on average, blue where less.`,
      matrices: tiles.map((values, n) => ({ ...inTime(values, patches), caption: String(n) })),
      size: 72,
    },
    ...sound,
  ]
}

/** What the rows of a clip are. */
function clipNames({ sound, soundRows, patches }: ClipLayout, { frames, samples_per_frame }: ClipFacts): RowNames {
  const [time, height, width] = patches ?? [1, 1, 1]
  return {
    unit: 'rows',
    place: (row) => {
      if (row < soundRows) {
        const frame = (row * (sound?.samplesPerPatch ?? 0)) / samples_per_frame
        return `sound of frame ${Math.floor(frame)}`
      }
      const own = row - soundRows
      const [t, y, x] = [Math.floor(own / (height * width)), Math.floor(own / width) % height, own % width]
      return `patch ${y}, ${x} from frame ${(t * frames) / time}`
    },
    groups: [
      ...(soundRows > 0 ? [{ name: 'the sound', has: (row: number) => row < soundRows }] : []),
      ...(patches ? [{ name: 'the picture', has: (row: number) => row >= soundRows }] : []),
    ],
  }
}

/** How clips are read and drawn. */
export const clipReading: ReadingPlan<ClipPerceiver, ClipFacts, keyof ClipInputs> = {
  over: 'patches of the picture and pieces of the sound',
  outputs: (model, inputs) => model.outputs(inputs),
  draw: ({ frames, samples }, maps, { model, facts }, latents, title) => {
    const layout = layoutOf(model)
    const [, count, channels, height, width] = sizes(frames.shape, 5)
    const pictures = picturesOf({ ...frames, shape: [count, channels, height, width] })
    const rate = facts.samples_per_frame
    return [
      ...(layout.patches ? [{ kind: 'pictures', title: `${title}: the frames`, pictures, size: 84 } as const] : []),
      ...(layout.sound ? [waveFigure(toNumbers(samples.data), { rate, unit: 'frames' }, `${title}: the sound`)] : []),
      ...maps.flatMap((map, t) => crossFigures(map, t, layout, latents)),
    ]
  },
  rows: (_, { model, facts }) => clipNames(layoutOf(model), facts),
}

/** The use `attention` of clips: of one window. */
export const attentionOverClips = attentionOver<ClipPerceiver, ClipFacts, keyof ClipInputs>({
  ...clipReading,
  summary:
    'what each cross attention reads of a clip: patches of its picture, pieces of its sound, and how much of both',
  read: async (file, facts) => {
    const { frames, samples } = (await readClipExample(file, { ...facts, windows: 1 })).arrays
    if (!frames || !samples) throw new FormatError(`${file}: must have frames and samples`)
    return { frames, samples }
  },
})
