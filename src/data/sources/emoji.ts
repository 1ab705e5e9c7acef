import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../util/errors.ts'
import { mapParallel } from '../../util/parallel.ts'
import { findSource } from '../catalog/cache.ts'
import { arrayDataset, type Dataset } from '../dataset.ts'
import { readBytes } from '../files.ts'
import type { PictureFields } from '../layout.ts'
import { decodeInto, imageTransform } from './image.ts'

/** Unicode's groups of emoji, by label. Its tenth, `component` (skin tones, hair), has no pictures of its own. */
export const emojiCategories: readonly string[] = [
  'smileys-emotion',
  'people-body',
  'animals-nature',
  'food-drink',
  'travel-places',
  'activities',
  'objects',
  'symbols',
  'flags',
]

export interface EmojiOptions {
  /** Height and width of the square pictures, in pixels. */
  readonly size: number
  /** An unpacked openmoji package. Default: `findEmoji`'s. */
  readonly folder?: string
}

const catalogue = z.array(
  z.object({
    hexcode: z.string().regex(/^[0-9A-F-]+$/),
    group: z.string(),
    skintone: z.union([z.string(), z.number()]),
  }),
)

/** Emoji with the code points of each, as Unicode writes them: `1F600`. */
export interface EmojiDataset extends Dataset<PictureFields> {
  readonly names: readonly string[]
}

/** Where OpenMoji is: the installed package `openmoji`, else what `tenfold data openmoji` has fetched. */
export interface EmojiSource {
  readonly folder: string
  readonly version: string
}

/** Finds OpenMoji. Throws a MissingDataError with the command that fetches it. */
export function findEmoji(): EmojiSource {
  return findSource('openmoji')
}

/** Pictures drawn at a time: enough for libuv's threads, few enough to bound memory. */
const atOnce = 64

/**
 * OpenMoji's emoji (CC BY-SA 4.0) drawn on white, with Unicode's group as the label: `image` uint8 [3, size, size], `label` int32 [],
 * a number of `emojiCategories`; about 1,900 pictures, those that only differ in skin tone left out. They are drawn once and kept in
 * memory. Throws a MissingDataError where OpenMoji is not on this machine, a FormatError on a broken catalogue.
 */
export async function loadEmoji({ size, folder }: EmojiOptions): Promise<EmojiDataset> {
  const root = folder ?? findEmoji().folder
  const entries = await readCatalogue(join(root, 'data', 'openmoji.json'))
  const transform = imageTransform({ size, channels: 3, background: 'white' })
  const bytes = 3 * size * size
  const image = new Uint8Array(entries.length * bytes)
  await mapParallel(entries, atOnce, async ({ hexcode }, i) => {
    const path = join(root, 'color', 'svg', `${hexcode}.svg`)
    await decodeInto(path, transform, image, i * bytes, path)
  })
  const dataset = arrayDataset({
    image: { dtype: 'uint8', shape: [entries.length, 3, size, size], data: image },
    label: { dtype: 'int32', shape: [entries.length], data: Int32Array.from(entries, ({ label }) => label) },
  })
  return { ...dataset, names: entries.map(({ hexcode }) => hexcode) }
}

async function readCatalogue(path: string): Promise<{ hexcode: string; label: number }[]> {
  const text = new TextDecoder().decode(await readBytes(path, 2 ** 26))
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new FormatError(`${path}: must be JSON`, { cause: error })
  }
  const parsed = catalogue.safeParse(content)
  if (!parsed.success) {
    throw new FormatError(`${path}: must be a list of records with hexcode, group and skintone`, {
      cause: parsed.error,
    })
  }
  return parsed.data.flatMap(({ hexcode, group, skintone }) => {
    const label = emojiCategories.indexOf(group)
    return label < 0 || skintone !== '' ? [] : [{ hexcode, label }]
  })
}
