/** Pictures with a class for each pixel: composed scenes, or a folder of pictures beside a folder of label maps. */
import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { z } from 'zod'
import type { Dataset } from '../../data/dataset.ts'
import { digestOf, readBytes } from '../../data/files.ts'
import { describeSides, openingOf, settleUnreadable, unreadableOf } from '../../data/opening.ts'
import { divide, type NamedExample, recordWhole } from '../../data/record.ts'
import { allocateRows, checkIndices } from '../../data/rows.ts'
import { checkedSize } from '../../data/sources/image.ts'
import { pick } from '../../data/split.ts'
import { decodePng } from '../../io/png.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { FormatError, UsageError } from '../../util/errors.ts'
import { mapParallel } from '../../util/parallel.ts'
import type { KnownData, OpenedData } from '../define.ts'
import { readSquare, sizeWithin } from '../detection/coco-file.ts'
import { drawingSets } from '../detection/drawings.ts'
import type { Scenes } from '../detection/examples.ts'
import type { DetectionFacts } from '../detection/facts.ts'
import type { Size } from '../detection/masks.ts'
import { composedScenes } from '../detection/scenes.ts'

const names = ['emoji', 'digits'] as const
const ignored = 255

/** `image` uint8 [3, H, W]; `labels` int32 [H, W], 255 where no class counts. */
export type LabelMapFields = 'image' | 'labels'
export type OpenedLabelMaps = OpenedData<DetectionFacts, LabelMapFields>

/** Settings that choose pictures and label maps. */
export function labelMapSettings({ scenes, size }: { readonly scenes: number; readonly size: number }) {
  return z.strictObject({
    folder: pathSetting(`scenes composed of drawings (${names.join(', ')}), or a folder of pictures`, names, 'emoji'),
    labels: pathSetting('of a folder: label maps of the same names, PNG, each pixel the number of a class; 255: none'),
    classes: z
      .array(z.string())
      .default([])
      .describe('names of the classes of a folder, by number; empty: the numbers'),
    image_size: whole.multipleOf(32).default(size).describe('side of the square that pictures are brought to'),
    objects: whole.default(5).describe('objects of a composed scene, at most'),
    scenes: whole.default(scenes).describe('composed scenes to train on'),
    test_scenes: whole.default(100).describe('other ones to test with'),
    test_share: z.number().gt(0).lt(1).default(0.2).describe('of a folder: share of the pictures held out for testing'),
    split_seed: count.default(0).describe('decides which ones, and what scenes are composed of'),
    on_error: onErrorSetting,
  })
}
export type LabelMapSettings = z.infer<ReturnType<typeof labelMapSettings>>

/** A picture at the network's size with the class of each pixel. */
interface Labelled {
  readonly pixels: Uint8Array
  readonly labels: Int32Array
}

function labelledDataset(
  length: number,
  read: (index: number) => Promise<Labelled>,
  size: number,
): Dataset<LabelMapFields> {
  const fields = {
    image: { dtype: 'uint8', shape: [3, size, size] },
    labels: { dtype: 'int32', shape: [size, size] },
  } as const
  return {
    length,
    fields,
    async batch(indices) {
      checkIndices(indices, length)
      const examples = await mapParallel(Array.from(indices), 8, (index) => read(index))
      const rows = {
        image: allocateRows(examples.length, fields.image),
        labels: allocateRows(examples.length, fields.labels),
      }
      for (const [n, { pixels, labels }] of examples.entries()) {
        ;(rows.image.data as Uint8Array).set(pixels, n * 3 * size * size)
        ;(rows.labels.data as Int32Array).set(labels, n * size * size)
      }
      return rows
    },
  }
}

/** Class 0 is what is behind the objects. */
function sceneDataset({ length, read }: Scenes, size: number): Dataset<LabelMapFields> {
  return labelledDataset(
    length,
    async (index) => {
      const { pixels, objects } = await read(index)
      const labels = new Int32Array(size * size)
      for (const { category, mask } of objects)
        for (let p = 0; p < labels.length; p++) if (mask?.pixels[p]) labels[p] = category + 1
      return { pixels, labels }
    },
    size,
  )
}

const pictureEndings = ['.png', '.jpg', '.jpeg', '.webp', '.avif', '.gif']

/** A picture with its label map. */
interface Pair {
  readonly name: string
  readonly picture: string
  readonly map: string
}

async function pairsIn(folder: string, labels: string): Promise<Pair[]> {
  const list = async (path: string): Promise<string[]> => {
    try {
      return (await readdir(path)).filter((name) => !name.startsWith('.'))
    } catch (error) {
      throw new UsageError(`${path}: no such folder`, { cause: error })
    }
  }
  const maps = new Map(
    (await list(labels)).filter((name) => extname(name) === '.png').map((name) => [name.slice(0, -4), name] as const),
  )
  const pictures = (await list(folder)).filter((name) => pictureEndings.includes(extname(name).toLowerCase())).sort()
  const without = pictures.filter((name) => !maps.has(name.slice(0, -extname(name).length)))
  if (without.length > 0)
    throw new UsageError(
      `${labels}: ${without.length} of ${pictures.length} pictures have no label map, such as ${without[0]}`,
      { hint: 'the map of street.jpg is street.png' },
    )
  return pictures.map((name) => ({
    name,
    picture: join(folder, name),
    map: join(labels, maps.get(name.slice(0, -extname(name).length)) ?? ''),
  }))
}

/** The classes of a map's pixels. Throws a FormatError for a picture in colours. */
async function readMap(path: string): Promise<{ pixels: Uint8Array; width: number; height: number }> {
  const { pixels, width, height, channels } = decodePng(await readBytes(path, 2 ** 28), path)
  if (channels !== 1)
    throw new FormatError(`${path}: a label map must have one number for each pixel, found colours`, {
      hint: 'a grey or indexed PNG of 8 bits: the number of the class',
    })
  return { pixels, width, height }
}

/** Throws a FormatError unless a map has its picture's size. */
function requireSameSize(map: string, found: Size, { width, height }: Size): void {
  if (found.width !== width || found.height !== height)
    throw new FormatError(
      `${map}: must be of ${width} x ${height} pixels as its picture, found ${found.width} x ${found.height}`,
    )
}

/** Both at the network's size: the longer side to `size`; beyond the picture no class counts. */
async function readPair({ picture, map }: Pair, size: number): Promise<Labelled> {
  const { pixels, width, height } = await readSquare(picture, size)
  const found = await readMap(map)
  requireSameSize(map, found, { width, height })
  const scale = size / Math.max(width, height)
  const inside = sizeWithin({ width, height }, size)
  const labels = new Int32Array(size * size).fill(ignored)
  for (let y = 0; y < inside.height; y++) {
    const row = Math.min(height - 1, Math.floor((y + 0.5) / scale))
    for (let x = 0; x < inside.width; x++)
      labels[y * size + x] = found.pixels[row * width + Math.min(width - 1, Math.floor((x + 0.5) / scale))] ?? ignored
  }
  return { pixels, labels }
}

async function openMaps(data: LabelMapSettings, known?: KnownData<DetectionFacts>): Promise<OpenedLabelMaps> {
  const { folder, labels, classes, image_size: size, test_share, split_seed, on_error } = data
  if (!labels)
    throw new UsageError(`data.labels must name the label maps of ${folder}`, {
      hint: `--set data.labels=DIR; or scenes: --set data.folder=${names.join(' or ')}`,
    })
  const pairs = await pairsIn(folder, labels)
  const problems: { path: string; reason: string }[] = []
  const usable: (Pair & { readonly example: NamedExample })[] = []
  let most = -1
  for (const pair of pairs) {
    let path = pair.map
    try {
      const { pixels, ...mapSize } = await readMap(pair.map)
      path = pair.picture
      const bytes = await readBytes(path, 2 ** 28)
      const pictureSize = await checkedSize(bytes, path)
      path = pair.map
      requireSameSize(path, mapSize, pictureSize)
      const own = pixels.reduce((greatest, value) => (value === ignored ? greatest : Math.max(greatest, value)), -1)
      if (classes.length > 0 && own >= classes.length)
        throw new FormatError(`has class ${own}, data.classes are ${classes.length}`)
      most = Math.max(most, own)
      usable.push({ ...pair, example: { name: pair.name, digest: digestOf(bytes) } })
    } catch (error) {
      problems.push(unreadableOf(path, error))
    }
  }
  const left = settleUnreadable(labels, problems, on_error)
  const labelNames =
    known?.facts.labels ?? (classes.length > 0 ? classes : Array.from({ length: most + 1 }, (_, i) => `${i}`))
  if (labelNames.length < 2)
    throw new UsageError(`${labels}: there must be at least two classes, found ${labelNames.length}`)
  const divided = divide(
    usable.map(({ example }) => example),
    undefined,
    { unit: 'picture', share: test_share, seed: split_seed, known: known?.record },
  )
  const { train, test } = divided.sides
  if (train.length === 0 || test.length === 0)
    throw new UsageError(`${folder}: there must be pictures to train on and to test with, found ${usable.length}`, {
      hint: 'give more pictures, or another data.split_seed',
    })
  const of = (rows: readonly number[]): Dataset<LabelMapFields> => {
    const own = pick(usable, rows)
    return labelledDataset(own.length, (index) => readPair(own[index] as Pair, size), size)
  }
  return {
    train: of(train),
    test: of(test),
    facts: { labels: [...labelNames], image_size: [size, size] },
    opening: openingOf(
      [`${labelNames.length} classes`, ...left, describeSides('picture', train.length, test.length)],
      [],
      divided,
    ),
  }
}

/** Opens the pictures that the settings name. Throws a MissingDataError, with the command that fetches it, for a set that is not here. */
export async function openLabelMaps(
  data: LabelMapSettings,
  known?: KnownData<DetectionFacts>,
): Promise<OpenedLabelMaps> {
  const { folder, image_size: size, objects, scenes, test_scenes, split_seed } = data
  if (folder !== 'emoji' && folder !== 'digits') return openMaps(data, known)
  const { title, labels, train, test = train, sources } = await drawingSets[folder]()
  const rules = { size, objects, sides: [0.2, 0.5] as const }
  return {
    train: sceneDataset(composedScenes(train, { ...rules, seed: split_seed }, scenes), size),
    test: sceneDataset(composedScenes(test, { ...rules, seed: split_seed + 2 ** 32 }, test_scenes), size),
    facts: { labels: ['background', ...labels], image_size: [size, size] },
    opening: openingOf(
      [`scenes of ${title}: ${describeSides('scene', scenes, test_scenes)}`],
      [],
      recordWhole('scene', sources, known?.record),
    ),
  }
}
