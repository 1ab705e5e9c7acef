/** Clips from files: animated WebP and GIF, and .npz of frames and samples. */
import { readNpz } from '../../io/npz.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { resampleWaveform } from '../sounds/resample.ts'
import type { FileKind } from '../sources/class-files.ts'
import { readFrames, resizePixels } from '../sources/image.ts'
import { type Clip, type ClipForm, frameNumbers } from './clip.ts'

/** Clips as files. */
export const clipFiles: FileKind = {
  unit: 'clip',
  endings: ['.webp', '.gif', '.npz'],
  sample: 'folder/run/1.webp, folder/jump/1.webp',
}

/** The channels of a frame [height, width, own] as planes of one or three channels. */
function planesOf(frame: Uint8Array, own: number, channels: 1 | 3): Uint8Array {
  const area = frame.length / own
  const at = (i: number, channel: number): number => frame[i * own + Math.min(channel, own - 1)] ?? 0
  return Uint8Array.from({ length: channels * area }, (_, i) => {
    const [channel, place] = [Math.floor(i / area), i % area]
    if (channels === 3 || own === 1) return at(place, channel)
    return 0.299 * at(place, 0) + 0.587 * at(place, 1) + 0.114 * at(place, 2)
  })
}

/** Frames uint8 [frames, height, width] or [frames, height, width, 1 or 3] in the wanted size and colours. */
export async function framesInForm({ shape, data }: NDArray, form: ClipForm): Promise<Uint8Array> {
  const [count = 0, height = 0, width = 0, own = 1] = shape
  const [size, numbers] = [height * width * own, frameNumbers(form)]
  const result = new Uint8Array(count * numbers)
  for (let i = 0; i < count; i++) {
    const planes = planesOf((data as Uint8Array).subarray(i * size, (i + 1) * size), own, form.channels)
    const out = result.subarray(i * numbers, (i + 1) * numbers)
    const [wantedHeight, wantedWidth] = form.size
    if (height === wantedHeight && width === wantedWidth) out.set(planes)
    else await resizePixels(planes, form.channels, { height, width }, { height: wantedHeight, width: wantedWidth }, out)
  }
  return result
}

/** Sound that lasts as long as so many frames, with so many samples for each. */
export function soundInForm(samples: Float32Array, frames: number, { samplesPerFrame }: ClipForm): Float32Array {
  const wanted = frames * samplesPerFrame
  return samples.length === 0 ? new Float32Array(wanted) : resampleWaveform(samples, samples.length, wanted)
}

/** Throws a FormatError (naming `name`) unless it is frames of a clip. */
export function checkFrames(name: string, frames: NDArray | undefined, batch: readonly string[] = []): NDArray {
  const must = `frames uint8 [${[...batch, 'F', 'H', 'W'].join(', ')}] or [${[...batch, 'F', 'H', 'W', '1 or 3'].join(', ')}]`
  if (!frames) throw new FormatError(`${name}: must have ${must}, found no array of that name`)
  const { dtype, shape } = frames
  const own = shape.slice(batch.length)
  const fits =
    dtype === 'uint8' &&
    shape.every((size) => size > 0) &&
    (own.length === 3 || (own.length === 4 && [1, 3].includes(own[3] ?? 0)))
  if (!fits) throw new FormatError(`${name}: must have ${must}, found ${dtype} [${shape.join(', ')}]`)
  return frames
}

/** A clip from the bytes of a file, every `frameStep`-th frame. Throws a FormatError that begins with the name if it is damaged. */
export async function readClip(bytes: Uint8Array, name: string, form: ClipForm, frameStep: number): Promise<Clip> {
  if (!name.toLowerCase().endsWith('.npz')) return readAnimation(bytes, name, form, frameStep)
  let tensors: ReadonlyMap<string, NDArray>
  try {
    tensors = readNpz(bytes).tensors
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    throw new FormatError(`${name}: ${error.message}`, { cause: error })
  }
  const frames = checkFrames(name, tensors.get('frames'))
  const sound = tensors.get('samples')
  if (sound && sound.shape.length !== 1) {
    throw new FormatError(`${name}: must have samples [S], found ${sound.dtype} [${sound.shape.join(', ')}]`)
  }
  const samples = Float32Array.from(sound ? toNumbers(sound.data) : [])
  const wrong = samples.find((value) => !Number.isFinite(value))
  if (wrong !== undefined) throw new FormatError(`${name}: samples must be finite, found ${wrong}`)
  const [count = 0] = frames.shape
  return {
    frames: await framesInForm(frames, form),
    frameCount: count,
    samples: soundInForm(samples, count, form),
  }
}

async function readAnimation(bytes: Uint8Array, name: string, form: ClipForm, frameStep: number): Promise<Clip> {
  const pages = await readFrames(bytes, name, frameStep)
  const [frameCount = 0] = pages.shape
  if (frameCount < 2) throw new FormatError(`${name}: must have several frames, found ${frameCount}`)
  return {
    frames: await framesInForm(pages, form),
    frameCount,
    samples: new Float32Array(frameCount * form.samplesPerFrame),
  }
}
