/** Labelled pictures: sets that are known by name, emoji, or any folder with one sub-folder per class. */
import { type AugmentOptions, augmentPictures, type CropOptions, shiftPictures } from '../../data/augment/index.ts'
import {
  type Dataset,
  emojiCategories,
  findEmoji,
  loadEmoji,
  openLabelledPictures,
  type PictureFields,
  type PictureSet,
  type PictureSetName,
  pictureDataset,
  pictureSets,
  resizePictures,
  subset,
} from '../../data/index.ts'
import { describeSides, type OnError, openingOf } from '../../data/opening.ts'
import { type DataRecord, divide, recordWhole } from '../../data/record.ts'
import { splitRandomly } from '../../data/split.ts'
import type { OpenedData } from '../define.ts'
import type { PictureFacts } from './facts.ts'

/** Pictures as a classifier takes them. */
export type OpenedPictures = OpenedData<PictureFacts, PictureFields>

/** How pictures of a set that is known by name are opened. */
export interface PictureSetOptions {
  /** Height and width that the pictures are brought to. Default: as they are. */
  readonly size?: readonly [height: number, width: number]
  /** Training pictures are moved by up to so many pixels. Default: 0. */
  readonly shift?: number
  /** Random changes of the training pictures, after that. */
  readonly augment?: AugmentOptions
  /** What an earlier run knows. */
  readonly known?: DataRecord | undefined
}

/** A set of pictures with its published test set. Throws a MissingDataError with the command that fetches it. */
export async function openPictureSet(name: PictureSetName, options: PictureSetOptions = {}): Promise<OpenedPictures> {
  const { title, labels, size: ownSize, channels, ground, source, load }: PictureSet = pictureSets[name]
  const { size = ownSize, shift = 0, augment = {}, known } = options
  const [plain, test] = (await Promise.all([load('train'), load('test')])).map((set) => resizePictures(set, size)) as [
    Dataset,
    Dataset,
  ] // as many as went in
  return {
    train: augmentPictures(shiftPictures(plain, shift), augment),
    plain,
    test,
    facts: { labels: [...labels], image_size: [...size], in_channels: channels, ...(ground && { ground }) },
    opening: openingOf(
      [`${title}: ${describeSides('picture', plain.length, test.length)}`],
      [],
      recordWhole('picture', source(), known),
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
  shift = 0,
  augment = {},
  known,
}: EmojiDataOptions): Promise<OpenedPictures> {
  const { folder, version } = findEmoji()
  const emoji = await loadEmoji({ size, folder })
  const divided = divide(
    emoji.names.map((name) => ({ name, digest: '' })),
    undefined,
    {
      unit: 'picture',
      sources: { openmoji: version },
      share: testShare,
      seed,
      known: known?.record,
      // The package is the same for everyone, and so is this draw.
      split: ({ length }) => splitRandomly(length, Math.round(testShare * length), seed),
    },
  )
  const [plain, test] = [subset(emoji, divided.sides.train), subset(emoji, divided.sides.test)]
  return {
    train: augmentPictures(shiftPictures(plain, shift), augment),
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
  /** Training pictures are moved by up to so many pixels. Default: 0. */
  readonly shift?: number
  /** Random changes of the training pictures, after that; boxes are cut from the pictures as they are in their files. */
  readonly augment?: AugmentOptions
  /** Whether the folder may have pictures and no classes. Default: false. */
  readonly mayLackClasses?: boolean
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
  const { size, channels, testShare, seed, shift = 0, augment = {} } = options
  const { onError = 'stop', test = '', mayLackClasses = false, known, hint, more } = options
  const { cropArea = 1, ...others } = augment
  const opened = await openLabelledPictures(
    folder,
    { size, channels },
    {
      test,
      testShare,
      seed,
      onError,
      mayLackClasses,
      known,
      ...(hint !== undefined && { hint }),
      ...(more !== undefined && { more }),
    },
  )
  const pictures = (crop: { randomCrop?: CropOptions }) => pictureDataset(opened.train, { size, channels, ...crop })
  const plain = pictures({})
  const cut = cropArea < 1 ? pictures({ randomCrop: { area: [cropArea, 1] } }) : plain
  return {
    train: augmentPictures(shiftPictures(cut, shift), others),
    plain,
    test: pictureDataset(opened.test, { size, channels }),
    facts: { labels: [...opened.classes], image_size: [...size], in_channels: channels },
    opening: opened.opening,
  }
}
