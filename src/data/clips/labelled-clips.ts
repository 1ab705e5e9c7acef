/** Many labelled clips in one file. */
import { readTensorFile } from '../../io/tensor-file.ts'
import { elementCount, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { FormatError } from '../../util/errors.ts'
import { largest } from '../../util/lists.ts'
import { digestOfExample } from '../files.ts'
import type { NamedExample } from '../record.ts'
import type { Clip, ClipForm } from './clip.ts'
import { checkFrames, framesInForm, soundInForm } from './clip-files.ts'

/** Clips of a file, with the classes of each. */
export interface ClipFile {
  readonly length: number
  /** Classes of each clip. */
  readonly classes: readonly (readonly number[])[]
  readonly classCount: number
  /** For records. */
  readonly examples: readonly NamedExample[]
  readonly read: (index: number) => Promise<Clip>
}

function part(array: NDArray, index: number): NDArray {
  const shape = array.shape.slice(1)
  const size = elementCount(shape)
  return { dtype: array.dtype, shape, data: array.data.slice(index * size, (index + 1) * size) }
}

function classesOf(file: string, labels: NDArray | undefined, length: number): number[][] {
  const must = `labels [${length}] of class numbers, or [${length}, K] of 0 and 1`
  if (!labels) throw new FormatError(`${file}: must have ${must}, found no array of that name`)
  const { shape, data, dtype } = labels
  const values = toNumbers(data)
  if (shape[0] === length && shape.length === 1) {
    const wrong = values.find((value) => !Number.isInteger(value) || value < 0 || value >= 100_000)
    if (wrong !== undefined) throw new FormatError(`${file}: must have ${must}, found ${wrong}`)
    return values.map((value) => [value])
  }
  const [, classes = 0] = shape
  const isMulti = shape[0] === length && shape.length === 2 && classes > 1
  if (!isMulti || values.some((value) => value !== 0 && value !== 1)) {
    throw new FormatError(`${file}: must have ${must}, found ${dtype} [${shape.join(', ')}]`)
  }
  return Array.from({ length }, (_, i) =>
    values.slice(i * classes, (i + 1) * classes).flatMap((value, c) => (value > 0 ? [c] : [])),
  )
}

/**
 * Reads a file of `frames` uint8 [N, F, H, W] or [N, F, H, W, 1 or 3], optional `samples` [N, S] that last as long as the frames, and `labels` [N] or
 * [N, K]. Throws a UsageError if it can't be read, a FormatError if it is damaged or the arrays do not fit together.
 */
export async function readClipFile(file: string, form: ClipForm): Promise<ClipFile> {
  const { tensors } = await readTensorFile(file)
  const frames = checkFrames(file, tensors.get('frames'), ['N'])
  const [length = 0, frameCount = 0] = frames.shape
  const samples = tensors.get('samples')
  if (samples && (samples.shape.length !== 2 || samples.shape[0] !== length)) {
    throw new FormatError(
      `${file}: must have samples [${length}, S], found ${samples.dtype} [${samples.shape.join(', ')}]`,
    )
  }
  const wrong = toNumbers(samples?.data ?? new Float32Array()).findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) {
    throw new FormatError(
      `${file}: samples must be finite, found another number in clip ${Math.floor(wrong / (samples?.shape[1] ?? 1))}`,
    )
  }
  const labels = tensors.get('labels')
  const classes = classesOf(file, labels, length)
  return {
    length,
    classes,
    classCount: labels?.shape[1] ?? 1 + largest(classes.flat()),
    examples: classes.map((own, i) => {
      const name = digestOfExample([frames, samples], i)
      return { name, digest: `${name} ${own.join(' ')}` }
    }),
    read: async (index) => ({
      frames: await framesInForm(part(frames, index), form),
      frameCount,
      samples: soundInForm(Float32Array.from(samples ? toNumbers(part(samples, index).data) : []), frameCount, form),
    }),
  }
}
