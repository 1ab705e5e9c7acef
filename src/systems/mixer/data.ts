/** What Mixer trains on: MNIST, emoji, or any folder of pictures. */
import { type AugmentOptions, augmentPictures, type CropOptions, shiftPictures } from '../../data/augment/index.ts'
import {
  type Dataset,
  emojiCategories,
  imageFolder,
  loadEmoji,
  loadMnist,
  mapDataset,
  splitDataset,
} from '../../data/index.ts'
import type { NDArray } from '../../tensor/dtype.ts'
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

/** MNIST with training pictures moved by up to `shift` pixels, then changed as `augment` says. */
export async function openMnist(shift: number, augment: AugmentOptions = {}): Promise<OpenedData> {
  const [train, test] = await Promise.all([loadMnist('train'), loadMnist('test')])
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  const plain = withChannel(train)
  return {
    train: augmentPictures(shiftPictures(plain, shift), augment),
    plain,
    test: withChannel(test),
    facts: { labels, image_size: [28, 28], in_channels: 1 },
  }
}

export interface EmojiDataOptions extends Omit<FolderOptions, 'size' | 'channels'> {
  /** Side of the pictures, in pixels. */
  readonly size: number
}

/** OpenMoji's emoji, labelled with their category; a share of the pictures is held out for testing. */
export async function openEmoji({ size, testShare, seed, augment = {} }: EmojiDataOptions): Promise<OpenedData> {
  const [test, plain] = splitDataset(await loadEmoji({ size }), testShare, seed)
  return {
    train: augmentPictures(plain, augment),
    plain,
    test,
    facts: { labels: [...emojiCategories], image_size: [size, size], in_channels: 3 },
  }
}

export interface FolderOptions {
  /** Height and width that the pictures are brought to. */
  readonly size: readonly [height: number, width: number]
  readonly channels: 1 | 3
  /** Share of the pictures held out for testing. */
  readonly testShare: number
  /** Decides which ones. */
  readonly seed: number
  /** Random changes of the training pictures; boxes are cut from the pictures as they are in their files. */
  readonly augment?: AugmentOptions
}

/** A folder of pictures with one sub-folder a class; a share of them is held out for testing. */
export async function openFolder(folder: string, options: FolderOptions): Promise<OpenedData> {
  const { size, channels, testShare, seed, augment = {} } = options
  const { cropArea = 1, ...others } = augment
  const open = (crop: { randomCrop?: CropOptions }) =>
    imageFolder(folder, { size, channels, onError: 'throw', ...crop })
  const pictures = await open({})
  const [test, plain] = splitDataset(pictures, testShare, seed)
  // The same files in the same order, so the same split.
  const cut =
    cropArea < 1 ? splitDataset(await open({ randomCrop: { area: [cropArea, 1] } }), testShare, seed)[1] : plain
  return {
    train: augmentPictures(cut, others),
    plain,
    test,
    facts: { labels: pictures.classes, image_size: size, in_channels: channels },
  }
}
