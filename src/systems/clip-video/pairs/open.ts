/** Drawings and what is said of them: batches of pairs to train on, and held-out drawings to find names for. */
import { z } from 'zod'
import { exampleGenerator } from '../../../data/augment/index.ts'
import { requireDataSets } from '../../../data/catalog/cache.ts'
import { arrayDataset, type Dataset } from '../../../data/dataset.ts'
import { describeSides, openingOf } from '../../../data/opening.ts'
import { type DataRecord, divide } from '../../../data/record.ts'
import { type Drawing, type Drawings, drawingStyles, loadDrawings } from '../../../data/sources/drawings.ts'
import type { OpenedData } from '../../../tasks/define.ts'
import { share, whole } from '../../../train/settings.ts'
import { loadCLIPVocabulary } from '../checkpoint.ts'
import { CompactTokenizer, usedIds } from '../clip/compact-vocabulary.ts'
import { drawText, textsOf } from './texts.ts'
import { writeView } from './views.ts'

/** Every how manyth thing is held out: of these, the second artist's drawing is never trained on. */
const heldOutOf = 10

/** Settings of the drawings. */
export function drawingSettings() {
  return z.strictObject({
    styles: z
      .array(z.enum(drawingStyles))
      .min(1)
      .default(['openmoji', 'fluent-emoji', 'twemoji'])
      .describe(`artists: ${drawingStyles.join(', ')}; the last one's drawings of the held-out things are for testing`),
    size: whole.default(32).describe('height and width of the pictures, in pixels'),
    held_out: z
      .number()
      .int()
      .min(0)
      .max(heldOutOf - 1)
      .default(0)
      .describe('which tenth of the things is held out'),
    shift: share.default(0.1).describe('training pictures are moved by up to this share of the side'),
    scale: share.default(0.15).describe('and are larger or smaller by up to this share'),
    flip: z.boolean().default(true).describe('mirror half of the training pictures'),
    colour: share.default(0.1).describe('change of brightness and of each colour, at most'),
    ground: share.default(0.1).describe('share of training pictures on a coloured ground'),
    cutouts: share.default(0.3).describe('share of training pictures of which only a part is seen, with white around'),
  })
}
export type DrawingSettings = z.infer<ReturnType<typeof drawingSettings>>

/** What a mini CLIP must know of its data. */
export const pairFacts = z.object({
  /** Names of all things, by number. */
  names: z.array(z.string()),
  /** Official ids of the tokens that occur, rising. */
  tokens: z.array(z.number()),
  size: whole,
})
export type PairFacts = z.infer<typeof pairFacts>

export type PairFields = 'image' | 'tokens' | 'label'

/** Opened pairs: `train` has one example for each thing, another drawing and another text of it in every pass. */
export interface OpenedPairs extends OpenedData<PairFacts, PairFields> {
  /** All drawings, as they are. */
  readonly drawings: Drawings
  /** Numbers of the drawings that are not trained on. */
  readonly held: readonly number[]
}

/** Which drawings are for testing: the last artist's, of every tenth thing. */
function heldDrawings({ drawings }: Drawings, { styles, held_out }: DrawingSettings): number[] {
  const last = styles.at(-1)
  return [...drawings.keys()].filter((i) => {
    const { thing, style } = drawings[i] as Drawing
    return style === last && thing % heldOutOf === held_out
  })
}

/** Opens the drawings of the settings. Throws a MissingDataError with the command that fetches them. */
export async function openPairs(
  settings: DrawingSettings,
  contextLength: number,
  known?: { readonly facts: PairFacts; readonly record: DataRecord },
): Promise<OpenedPairs> {
  requireDataSets([...new Set(['openmoji', ...settings.styles, 'clip-vocabulary'])])
  return pairsOf(await loadDrawings(settings), settings, contextLength, known)
}

/** The same of drawings that are in memory already. */
async function pairsOf(
  drawn: Drawings,
  settings: DrawingSettings,
  contextLength: number,
  known?: { readonly facts: PairFacts; readonly record: DataRecord },
): Promise<OpenedPairs> {
  const vocabulary = await loadCLIPVocabulary()
  const { things, drawings, sources } = drawn
  const names = things.map(({ name }) => name)
  const tokens = known?.facts.tokens ?? usedIds(vocabulary, textsOf(things))
  const tokenizer = new CompactTokenizer(vocabulary, tokens, contextLength)
  const held = heldDrawings(drawn, settings)
  const isHeld = new Set(held)
  const trained = [...drawings.keys()].filter((i) => !isHeld.has(i))
  const divided = divide(
    drawings.map(({ thing, style }) => ({ name: `${style}/${things[thing]?.hexcode}`, digest: '' })),
    undefined,
    {
      unit: 'drawing',
      sources,
      share: 0,
      seed: 0,
      known: known?.record,
      split: () => ({ train: trained, test: held }),
    },
  )
  return {
    train: trainingPairs(drawn, trained, tokenizer, settings),
    plain: plainPairs(drawn, trained, tokenizer),
    test: plainPairs(drawn, held, tokenizer),
    facts: { names, tokens, size: settings.size },
    opening: openingOf(
      [`${names.length.toLocaleString('en')} things: ${describeSides('drawing', trained.length, held.length)}`],
      [],
      divided,
    ),
    drawings: drawn,
    held,
  }
}

/** Drawings on white with their names. */
function plainPairs(drawn: Drawings, numbers: readonly number[], tokenizer: CompactTokenizer): Dataset<PairFields> {
  const { drawings, things, size, onWhite } = drawn
  const bytes = 3 * size * size
  const image = new Uint8Array(numbers.length * bytes)
  for (const [i, n] of numbers.entries()) image.set(onWhite.subarray(n * bytes, (n + 1) * bytes), i * bytes)
  const labels = numbers.map((n) => drawings[n]?.thing ?? 0)
  return arrayDataset({
    image: { dtype: 'uint8', shape: [numbers.length, 3, size, size], data: image },
    tokens: tokenizer.tokenize(labels.map((label) => things[label]?.name ?? '')),
    label: { dtype: 'int32', shape: [numbers.length], data: Int32Array.from(labels) },
  })
}

/** One example for each thing, so that no batch has two drawings of the same one: each would be the other's wrong answer. */
function trainingPairs(
  drawn: Drawings,
  trained: readonly number[],
  tokenizer: CompactTokenizer,
  settings: DrawingSettings,
): Dataset<PairFields> {
  const { drawings, things, size, onWhite, onBlack } = drawn
  const bytes = 3 * size * size
  const byThing = new Map<number, number[]>()
  for (const n of trained) {
    const thing = drawings[n]?.thing ?? 0
    byThing.set(thing, [...(byThing.get(thing) ?? []), n])
  }
  const shown = [...byThing.keys()]
  return {
    length: shown.length,
    fields: {
      image: { dtype: 'uint8', shape: [3, size, size] },
      tokens: { dtype: 'int32', shape: [tokenizer.contextLength] },
      label: { dtype: 'int32', shape: [] },
    },
    batch(indices, context) {
      const image = new Uint8Array(indices.length * bytes)
      const labels = Array.from(indices, (index) => shown[index] ?? 0)
      const texts = labels.map((label, row) => {
        const random = exampleGenerator(context, 'pair', label)
        const choices = byThing.get(label) ?? []
        const n = choices[random.integers(0, Math.max(1, choices.length), 1)[0] ?? 0] ?? 0
        const of = (pixels: Uint8Array): Uint8Array => pixels.subarray(n * bytes, (n + 1) * bytes)
        writeView([of(onWhite), of(onBlack)], size, image.subarray(row * bytes, (row + 1) * bytes), random, settings)
        const thing = things[label]
        return thing ? drawText(thing, random) : ''
      })
      return {
        image: { dtype: 'uint8', shape: [indices.length, 3, size, size], data: image },
        tokens: tokenizer.tokenize(texts),
        label: { dtype: 'int32', shape: [indices.length], data: Int32Array.from(labels) },
      }
    },
  }
}
