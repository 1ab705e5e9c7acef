/** The drawings that a mini BigGAN learns: things of 24 kinds. Each thing is a class of its own, or each kind is one. */
import { z } from 'zod'
import { exampleGenerator } from '../../../data/augment/index.ts'
import { arrayDataset, type Dataset, mapDataset } from '../../../data/dataset.ts'
import { describeSides, openingOf } from '../../../data/opening.ts'
import { type DataRecord, recordWhole } from '../../../data/record.ts'
import { type Drawing, type Drawings, drawingStyles, loadDrawings, readThings } from '../../../data/sources/drawings.ts'
import type { OpenedData } from '../../../tasks/define.ts'
import { share, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { counted, suggestion } from '../../../util/words.ts'
import { writeView } from '../pairs/views.ts'
import { halfSize, principalCodes } from './codes.ts'

/** Unicode's subgroups of each class. */
const drawingClasses = {
  mammal: ['animal-mammal'],
  bird: ['animal-bird'],
  bug: ['animal-bug'],
  'sea animal': ['animal-marine'],
  fruit: ['food-fruit'],
  vegetable: ['food-vegetable'],
  dish: ['food-prepared'],
  drink: ['drink'],
  flower: ['plant-flower'],
  plant: ['plant-other'],
  vehicle: ['transport-ground', 'transport-air', 'transport-water'],
  weather: ['sky-weather', 'sky & weather'],
  building: ['place-building'],
  clothing: ['clothing'],
  tool: ['tool'],
  household: ['household'],
  office: ['office'],
  sport: ['sport'],
  game: ['game'],
  heart: ['heart'],
  'smiling face': ['face-smiling'],
  'worried face': ['face-concerned'],
  instrument: ['musical-instrument'],
  clock: ['time'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** Settings of the drawings. */
export function classSettings() {
  return z.strictObject({
    styles: z.array(z.enum(drawingStyles)).min(1).default(['openmoji', 'twemoji']).describe('artists'),
    classes: z
      .array(z.string())
      .min(1)
      .default(Object.keys(drawingClasses))
      .describe(`kinds of things, of ${Object.keys(drawingClasses).join(', ')}`),
    by: z.enum(['thing', 'kind']).default('thing').describe('what a class is: each thing by its name, or each kind'),
    size: z.literal(32).default(32).describe('height and width of the pictures, in pixels'),
    shift: share.default(0).describe('pictures are moved by up to this share of the side'),
    scale: share.default(0).describe('and are larger or smaller by up to this share'),
    flip: z.boolean().default(false).describe('mirror half of the pictures'),
    colour: share.default(0).describe('change of brightness and of each colour, at most'),
  })
}
export type ClassSettings = z.infer<ReturnType<typeof classSettings>>

/** What a mini BigGAN must know of its data. */
export const classFacts = z.object({
  /** Names of the classes. */
  labels: z.array(z.string()),
  size: whole,
  styles: z.array(z.enum(drawingStyles)),
  /** Kinds of things that are drawn, and whether they or the things are the classes. */
  kinds: z.array(z.string()),
  by: z.enum(['thing', 'kind']),
})
export type ClassFacts = z.infer<typeof classFacts>

/** `style`: the number of the artist. */
export type ClassFields = 'image' | 'label' | 'style'

export interface OpenedClasses extends OpenedData<ClassFacts, ClassFields> {
  /** Embeddings of the classes to begin with, [classes, width]; undefined: at random. */
  readonly codes?: (width: number) => Float32Array | undefined
}

/** The number of a subgroup's kind; -1: none of these. */
function kindOf(subgroup: string, kinds: readonly string[]): number {
  return kinds.findIndex((kind) =>
    (drawingClasses[kind as keyof typeof drawingClasses] as readonly string[]).includes(subgroup),
  )
}

/** Opens the drawings of the classes; all of them are trained on. Throws a MissingDataError with the command that fetches them. */
export async function openClasses(
  settings: Omit<ClassSettings, 'size'> & { readonly size: number },
  known?: { readonly record: DataRecord },
): Promise<OpenedClasses> {
  const { classes: kinds, by, size, styles } = settings
  const all = Object.keys(drawingClasses)
  const unknown = kinds.find((kind) => !all.includes(kind))
  if (unknown !== undefined)
    throw new UsageError(`data.classes: there is no class "${unknown}"`, { hint: suggestion(unknown, all) })
  const things = (await readThings()).filter(({ subgroup }) => kindOf(subgroup, kinds) >= 0)
  const drawn = await loadDrawings({ ...settings, things })
  const numbers = things.map(({ subgroup }, i) => (by === 'thing' ? i : kindOf(subgroup, kinds)))
  const labels = by === 'thing' ? things.map(({ name }) => name) : [...kinds]
  const [train, plain] = [true, false].map((random) => classDataset(drawn, numbers, settings, random))
  const count = drawn.drawings.length
  return {
    train: train as Dataset<ClassFields>,
    plain: plain as Dataset<ClassFields>,
    test: plain as Dataset<ClassFields>,
    facts: { labels, size, styles: [...styles], kinds: [...kinds], by },
    ...(by === 'thing' && { codes: (width: number) => thingCodes(drawn, styles, width) }),
    opening: openingOf(
      [`${describeSides('drawing', count, count)} (the same) in ${counted(labels.length, 'class')}`],
      [],
      recordWhole('drawing', drawn.sources, known?.record),
    ),
  }
}

/** Codes of things, of what all artists have made of them; in the place of a drawing that is not there stands another artist's. */
function thingCodes(
  { drawings, things, size, onWhite }: Drawings,
  styles: readonly string[],
  width: number,
): Float32Array | undefined {
  const [bytes, half] = [3 * size * size, (3 * size * size) / 4]
  const small = drawings.map((_, n) => halfSize(onWhite.subarray(n * bytes, (n + 1) * bytes), size))
  const of = new Map(drawings.map(({ thing, style }, n) => [`${thing} ${style}`, n]))
  const pictures = new Float32Array(things.length * styles.length * half)
  for (const i of things.keys()) {
    const any = styles.flatMap((style) => of.get(`${i} ${style}`) ?? [])[0]
    for (const [s, style] of styles.entries()) {
      const picture = small[of.get(`${i} ${style}`) ?? any ?? -1]
      if (picture) pictures.set(picture, (i * styles.length + s) * half)
    }
  }
  return principalCodes(pictures, things.length, width)
}

/** `classOfThing`: the class of each thing. */
function classDataset(
  { drawings, size, onWhite, onBlack }: Drawings,
  classOfThing: readonly number[],
  settings: Omit<ClassSettings, 'size'> & { readonly size: number },
  random: boolean,
): Dataset<ClassFields> {
  const bytes = 3 * size * size
  const ofDrawings = (number: (drawing: Drawing) => number) => ({
    dtype: 'int32' as const,
    shape: [drawings.length],
    data: Int32Array.from(drawings, number),
  })
  const plain = arrayDataset({
    image: { dtype: 'uint8', shape: [drawings.length, 3, size, size], data: onWhite },
    label: ofDrawings(({ thing }) => classOfThing[thing] ?? 0),
    style: ofDrawings(({ style }) => settings.styles.indexOf(style)),
  })
  if (!random) return plain
  const options = { ...settings, ground: 0, cutouts: 0 }
  return mapDataset(plain, (batch, indices, context) => {
    const data = new Uint8Array(indices.length * bytes)
    for (let row = 0; row < indices.length; row++) {
      const n = indices[row] ?? 0
      const of = (pixels: Uint8Array): Uint8Array => pixels.subarray(n * bytes, (n + 1) * bytes)
      const out = data.subarray(row * bytes, (row + 1) * bytes)
      writeView([of(onWhite), of(onBlack)], size, out, exampleGenerator(context, 'drawing', n), options)
    }
    return { ...batch, image: { ...batch.image, data } }
  })
}
