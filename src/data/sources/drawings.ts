/** Drawings of things with their names: emoji, each drawn by several artists. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FormatError } from '../../util/errors.ts'
import { mapParallel } from '../../util/parallel.ts'
import { dataFolder, packagesOf } from '../catalog/cache.ts'
import { readBytes } from '../files.ts'
import { decodeInto, imageTransform } from './image.ts'

/** What is drawn. */
export interface NamedThing {
  /** Code points, as Unicode writes them: `1F98A`. */
  readonly hexcode: string
  /** `fox` */
  readonly name: string
  /** Words that belong to it, the name not among them. */
  readonly tags: readonly string[]
  /** Unicode's group and subgroup: `animals-nature`, `animal-mammal`. */
  readonly group: string
  readonly subgroup: string
}

/** The artists, by the names that `tenfold data` has for their drawings. */
export const drawingStyles = ['openmoji', 'twemoji', 'fluent-emoji'] as const
export type DrawingStyle = (typeof drawingStyles)[number]

/** Groups whose members are things that one can draw: no flags, no signs, no people in many variants. */
const thingGroups: readonly string[] = [
  'animals-nature',
  'food-drink',
  'activities',
  'objects',
  'travel-places',
  'smileys-emotion',
]

const catalogue = z.array(
  z.object({
    hexcode: z.string().regex(/^[0-9A-F-]+$/),
    annotation: z.string(),
    tags: z.string(),
    group: z.string(),
    subgroups: z.string(),
    skintone: z.union([z.string(), z.number()]),
  }),
)

/** The things of OpenMoji's catalogue (about 1,030). Throws a MissingDataError with the command that fetches it. */
export async function readThings(groups: readonly string[] = thingGroups): Promise<NamedThing[]> {
  const path = join(dataFolder('openmoji'), 'data', 'openmoji.json')
  const parsed = catalogue.safeParse(JSON.parse(new TextDecoder().decode(await readBytes(path, 2 ** 26))))
  if (!parsed.success) {
    throw new FormatError(`${path}: must be a list of records with hexcode, annotation, tags, group and subgroups`, {
      cause: parsed.error,
    })
  }
  return parsed.data.flatMap(({ hexcode, annotation, tags, group, subgroups, skintone }) => {
    if (!groups.includes(group) || skintone !== '') return []
    const words = tags.split(',').map((tag) => tag.trim())
    const others = words.filter((tag) => tag !== '' && tag !== annotation)
    return [{ hexcode, name: annotation, tags: [...new Set(others)], group, subgroup: subgroups }]
  })
}

/** The file of a drawing; undefined: this artist has not drawn it. */
function drawingFile(style: DrawingStyle, { hexcode }: NamedThing): string | undefined {
  const [lower, folder] = [hexcode.toLowerCase(), dataFolder(style)]
  const short = lower.replaceAll('-fe0f', '')
  const candidates = {
    openmoji: [join('color', 'svg', `${hexcode}.svg`)],
    twemoji: [`${lower}.svg`, `${short}.svg`],
    'fluent-emoji': [join('assets', `${lower}.webp`), join('assets', `${short}.webp`)],
  }[style]
  return candidates.map((name) => join(folder, name)).find((path) => existsSync(path))
}

/** A drawing: which thing, by whom. */
export interface Drawing {
  /** A number of `things`. */
  readonly thing: number
  readonly style: DrawingStyle
}

/** Drawings on two grounds, from which any other ground follows exactly: black + (white - black) * colour / 255. */
export interface Drawings {
  readonly things: readonly NamedThing[]
  readonly drawings: readonly Drawing[]
  readonly size: number
  /** uint8 [drawings, 3, size, size] */
  readonly onWhite: Uint8Array
  readonly onBlack: Uint8Array
  /** The packages that they are from. */
  readonly sources: Readonly<Record<string, string>>
}

const atOnce = 64

/**
 * Draws all things by all styles, `size` pixels a side. They are kept in memory: 6 KiB each at 32 pixels. Throws a MissingDataError where
 * a set is not on this machine.
 */
export async function loadDrawings(options: {
  readonly size: number
  readonly styles: readonly DrawingStyle[]
  readonly things?: readonly NamedThing[]
}): Promise<Drawings> {
  const { size, styles, things = await readThings() } = options
  const found = styles.flatMap((style) =>
    things.flatMap((thing, i) => {
      const path = drawingFile(style, thing)
      return path === undefined ? [] : [{ thing: i, style, path }]
    }),
  )
  const bytes = 3 * size * size
  const draw = async (background: string): Promise<Uint8Array> => {
    const transform = imageTransform({ size, channels: 3, background })
    const pixels = new Uint8Array(found.length * bytes)
    await mapParallel(found, atOnce, ({ path }, i) => decodeInto(path, transform, pixels, i * bytes, path))
    return pixels
  }
  return {
    things,
    drawings: found.map(({ thing, style }) => ({ thing, style })),
    size,
    onWhite: await draw('white'),
    onBlack: await draw('black'),
    sources: Object.assign({}, packagesOf('openmoji'), ...styles.map(packagesOf)) as Record<string, string>,
  }
}
