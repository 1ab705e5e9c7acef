/** What Mixer trains on: MNIST, or any folder of pictures. */

import { shiftPictures } from '../../data/augment.ts'
import { type Dataset, imageFolder, loadMnist, mapDataset, splitDataset } from '../../data/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { UsageError } from '../../util/errors.ts'
import type { OpenedData } from '../define.ts'

/** uint8 [N, 28, 28] -> [N, 1, 28, 28], sharing the bytes. */
function withChannel(dataset: Dataset): Dataset {
  const { image, label } = dataset.fields
  return mapDataset(
    dataset,
    ({ image: pictures, ...rest }) => {
      const { dtype, shape, data } = pictures as NDArray
      const [count = 0, ...size] = shape
      return { ...rest, image: { dtype, shape: [count, 1, ...size], data } }
    },
    { ...(label && { label }), ...(image && { image: { dtype: image.dtype, shape: [1, ...image.shape] } }) },
  )
}

/** MNIST with training pictures moved by up to `shift` pixels. */
export async function openMnist(shift: number): Promise<OpenedData> {
  const [train, test] = await Promise.all([loadMnist('train'), loadMnist('test')])
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  return {
    train: shiftPictures(withChannel(train), shift),
    test: withChannel(test),
    facts: { labels, image_size: [28, 28], in_channels: 1 },
  }
}

/** A folder of pictures with one sub-folder a class; a share of them is held out for testing. */
export async function openFolder(folder: string, size: number, testShare: number, seed: number): Promise<OpenedData> {
  if (!folder) {
    throw new UsageError('the recipe mixer/images needs a folder of pictures', {
      hint: '--set data.folder=DIR, with one sub-folder a class',
    })
  }
  const pictures = await imageFolder(folder, { size, channels: 3, onError: 'throw' })
  const [test, train] = splitDataset(pictures, testShare, seed)
  return { train, test, facts: { labels: pictures.classes, image_size: [size, size], in_channels: 3 } }
}
