/** Which pictures a recipe is trained on: one group of settings for all recipes of pictures. */
import { existsSync } from 'node:fs'
import { z } from 'zod'
import type { AugmentOptions } from '../../data/augment/index.ts'
import { type PictureSet, type PictureSetName, pictureSets } from '../../data/index.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import type { KnownData } from '../define.ts'
import type { PictureFacts } from './facts.ts'
import { type OpenedPictures, openEmoji, openFolder, openPictureSet } from './open.ts'

const setNames = Object.keys(pictureSets) as readonly PictureSetName[]
const names: readonly string[] = [...setNames, 'openmoji']

function isSetName(name: string): name is PictureSetName {
  return (setNames as readonly string[]).includes(name)
}

/** What a recipe says of its pictures. */
export interface PictureDataDefaults {
  /** A set by name; empty: whoever trains must name a folder. Default: empty. */
  readonly folder?: PictureSetName | 'openmoji' | ''
  /** Default: 0. */
  readonly shift?: number
  /** Whether pictures need no classes. Default: false. */
  readonly mayLackClasses?: boolean
}

/** Settings that choose pictures: a set by name, or a folder of one's own. */
export function pictureDataSettings({ folder = '', shift = 0, mayLackClasses = false }: PictureDataDefaults = {}) {
  return z.strictObject({
    folder: pathSetting(
      `a set by name (${names.join(', ')}), or a folder ${mayLackClasses ? 'of pictures, in one sub-folder per class or without classes' : 'with one sub-folder per class'}, or with train/ and test/ folders`,
      names,
      folder,
    ),
    test: pathSetting(
      'of a folder: another one of test pictures with the same sub-folders; empty: a share is held out',
    ),
    image_size: count
      .default(0)
      .describe(`side that pictures are brought to, in pixels; 0: as the set has them, else ${usualSize}`),
    shift: count.default(shift).describe('move training pictures by up to so many pixels'),
    test_share: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.2)
      .describe('of a folder, and of openmoji: share of the pictures held out for testing'),
    split_seed: count.default(0).describe('decides which ones'),
    on_error: onErrorSetting,
  })
}

/** Side of pictures that have no size of their own. */
const usualSize = 64

export type PictureDataSettings = z.infer<ReturnType<typeof pictureDataSettings>>

/** The npm packages that opening the pictures needs. */
export function picturePackages({ folder, image_size }: PictureDataSettings): readonly string[] {
  if (!isSetName(folder)) return ['sharp']
  const { packages, size }: PictureSet = pictureSets[folder]
  const isResized = image_size > 0 && size.some((side) => side !== image_size)
  return isResized && !packages.includes('sharp') ? [...packages, 'sharp'] : packages
}

async function openChosen(
  data: PictureDataSettings,
  augment: AugmentOptions,
  known: KnownData<PictureFacts> | undefined,
  mayLackClasses: boolean,
): Promise<OpenedPictures> {
  const { folder, test, image_size, shift, test_share: testShare, split_seed: seed, on_error: onError } = data
  if (!folder) {
    throw new UsageError('data.folder must name pictures, found ""', {
      hint: `--set data.folder=DIR, with one sub-folder per class, or one of ${names.join(', ')}`,
    })
  }
  if (names.includes(folder) && test) {
    throw new UsageError(`data.test is for pictures of your own, not for ${folder}`)
  }
  if (isSetName(folder)) {
    const size = image_size > 0 ? { size: [image_size, image_size] as const } : {}
    return openPictureSet(folder, { ...size, shift, augment, known: known?.record })
  }
  const side = image_size || usualSize
  const earlier = known && { classes: known.facts.labels, record: known.record }
  const held = { testShare, seed, shift, augment, known: earlier }
  if (folder === 'openmoji') return openEmoji({ size: side, ...held })
  if (!/[\\/]/.test(folder) && !existsSync(folder)) {
    throw new UsageError(`data.folder: there is no folder "${folder}", and no set of pictures of that name`, {
      hint: suggestion(folder, names),
    })
  }
  return openFolder(folder, { size: [side, side], channels: 3, test, onError, mayLackClasses, ...held })
}

/**
 * Opens the pictures that the settings name; with `mayLackClasses` a folder without classes, too, whose pictures are all of the class
 * `unlabelled`. Throws a MissingDataError, with the command that fetches it, for a set that is not here.
 */
export async function openPictures(
  data: PictureDataSettings,
  augment: AugmentOptions,
  known?: KnownData<PictureFacts>,
  { mayLackClasses = false }: { readonly mayLackClasses?: boolean } = {},
): Promise<OpenedPictures> {
  const opened = await openChosen(data, augment, known, mayLackClasses)
  const side = Math.min(...opened.facts.image_size)
  if (data.shift >= side) {
    throw new UsageError(`data.shift must be less than the side of the pictures, ${side} pixels, found ${data.shift}`)
  }
  return opened
}
