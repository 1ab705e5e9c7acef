/** The drawings that a mini BigGAN learns: 24 kinds of things, which are its classes. */
import { z } from 'zod'
import { exampleGenerator } from '../../../data/augment/index.ts'
import { arrayDataset, type Dataset, mapDataset } from '../../../data/dataset.ts'
import type { PictureFields } from '../../../data/layout.ts'
import { describeSides, openingOf } from '../../../data/opening.ts'
import { type DataRecord, recordWhole } from '../../../data/record.ts'
import { type Drawings, drawingStyles, loadDrawings, readThings } from '../../../data/sources/drawings.ts'
import type { OpenedData } from '../../../tasks/define.ts'
import { share, whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { suggestion } from '../../../util/names.ts'
import { writeView } from '../pairs/views.ts'

/** Unicode's subgroups of each class. */
export const drawingClasses = {
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
      .describe(`of ${Object.keys(drawingClasses).join(', ')}`),
    size: z.literal(32).default(32).describe('height and width of the pictures, in pixels'),
    shift: share.default(0.03).describe('pictures are moved by up to this share of the side'),
    scale: share.default(0.05).describe('and are larger or smaller by up to this share'),
    flip: z.boolean().default(true).describe('mirror half of the pictures'),
  })
}
export type ClassSettings = z.infer<ReturnType<typeof classSettings>>

export const classFacts = z.object({ labels: z.array(z.string()), size: whole })
export type ClassFacts = z.infer<typeof classFacts>

export type OpenedClasses = OpenedData<ClassFacts, PictureFields>

/** Which class a subgroup is of. */
function classOf(subgroup: string, labels: readonly string[]): number {
  return labels.findIndex((label) =>
    (drawingClasses[label as keyof typeof drawingClasses] as readonly string[]).includes(subgroup),
  )
}

/** Opens the drawings of the classes; all of them are trained on. Throws a MissingDataError with the command that fetches them. */
export async function openClasses(
  settings: ClassSettings,
  known?: { readonly record: DataRecord },
): Promise<OpenedClasses> {
  const { classes: labels, size } = settings
  const all = Object.keys(drawingClasses)
  const unknown = labels.find((label) => !all.includes(label))
  if (unknown !== undefined)
    throw new UsageError(`data.classes: there is no class "${unknown}"`, { hint: suggestion(unknown, all) })
  const things = (await readThings()).filter(({ subgroup }) => classOf(subgroup, labels) >= 0)
  const drawn = await loadDrawings({ ...settings, things })
  const [train, plain] = [true, false].map((random) => classDataset(drawn, labels, settings, random))
  const count = drawn.drawings.length
  return {
    train: train as Dataset<PictureFields>,
    plain: plain as Dataset<PictureFields>,
    test: plain as Dataset<PictureFields>,
    facts: { labels: [...labels], size },
    opening: openingOf(
      [`${describeSides('drawing', count, count)} (the same) in ${labels.length} classes`],
      [],
      recordWhole('drawing', drawn.sources, known?.record),
    ),
  }
}

function classDataset(
  { drawings, things, size, onWhite, onBlack }: Drawings,
  labels: readonly string[],
  settings: ClassSettings,
  random: boolean,
): Dataset<PictureFields> {
  const bytes = 3 * size * size
  const numbers = drawings.map(({ thing }) => classOf(things[thing]?.subgroup ?? '', labels))
  const plain = arrayDataset({
    image: { dtype: 'uint8', shape: [drawings.length, 3, size, size], data: onWhite },
    label: { dtype: 'int32', shape: [drawings.length], data: Int32Array.from(numbers) },
  })
  if (!random) return plain
  const options = { ...settings, colour: 0.05, ground: 0, cutouts: 0 }
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
