/** MNIST for the pages: some of its digits in one file, made when the site is built, read in a worker. */
import { arrayDataset, type Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import type { NDArray } from '../../tensor/dtype.ts'

/** The file's name in the site's folder `data`. */
export const digitsFile = 'digits.gz'
export const side = 28
const area = side * side

/** How many of MNIST's digits the file has: the first of its training pictures and of its test pictures. */
export const counts = { train: 6000, test: 1000 } as const

/** Pictures uint8 [n, 1, 28, 28], ink 255, and their digits. */
export interface Digits {
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

/** Both splits as one run of bytes: the labels, then the pictures. */
export function packDigits({ train, test }: Readonly<Record<'train' | 'test', Digits>>): Uint8Array<ArrayBuffer> {
  const parts = [train.labels, test.labels, train.images, test.images]
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** What `packDigits` packed. */
export function unpackDigits(bytes: Uint8Array): Readonly<Record<'train' | 'test', Digits>> {
  const { train, test } = counts
  const all = train + test
  const images = (from: number, count: number): Uint8Array => {
    const start = all + from * area
    return bytes.subarray(start, start + count * area)
  }
  return {
    train: { labels: bytes.subarray(0, train), images: images(0, train) },
    test: { labels: bytes.subarray(train, all), images: images(train, test) },
  }
}

/** Pixels [n, 1, 28, 28] as a model takes them. */
export function digitImages(images: Uint8Array): NDArray {
  return { dtype: 'uint8', shape: [images.length / area, 1, side, side], data: images }
}

/** Digits as a data set for training. */
export function digitDataset({ images, labels }: Digits): Dataset<PictureFields> {
  return arrayDataset({
    image: digitImages(images),
    label: { dtype: 'int32', shape: [labels.length], data: Int32Array.from(labels) },
  })
}
