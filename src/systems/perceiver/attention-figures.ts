/** What the cross attentions read, as figures: maps over the rows, and which latents read what (paper, Figure 3). */
import * as ops from '../../ops/index.ts'
import type { Figure, HeatmapGrid, Matrix, Picture, Table } from '../../report/figures.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { meanOf } from '../../util/vectors.ts'
import { percent } from '../../util/words.ts'
import type { NamedMaps } from './model.ts'

type Size = readonly [height: number, width: number]

/** Some of the rows, by what they are. */
export interface RowGroup {
  /** After "in": `the sound`. */
  readonly name: string
  readonly has: (row: number) => boolean
}

/** What the rows of an example are. */
export interface RowNames {
  /** In the plural: `pixels`. */
  readonly unit: string
  /** Where a row lies, as one reads it. */
  readonly place: (row: number) => string
  /** What the parts of a place are: `row, column`. */
  readonly where?: string
  readonly groups?: readonly RowGroup[]
  /** Height and width where all rows are the cells of one picture, row by row. */
  readonly grid?: Size
}

/** Maps of the cross attentions, in their order: [B, N, M] each, the mean of the heads. */
export function crossMapsOf(attentions: readonly NamedMaps[], of: 'scores' | 'weights'): Tensor[] {
  return attentions.filter(({ kind }) => kind === 'cross').map((maps) => ops.mean(maps[of], 1))
}

/** The rows of a map [1, N, M], a list for each latent. */
export function latentsOf(map: NDArray): number[][] {
  const [, latents, rows] = sizes(map.shape, 3)
  const values = toNumbers(map.data)
  return Array.from({ length: latents }, (_, n) => values.slice(n * rows, (n + 1) * rows))
}

/** A map less its mean: colours say more or less than the latent's own average. `readable`: rows that count; the others become 0. */
export function centred(values: readonly number[], readable: (row: number) => boolean = () => true): number[] {
  const mean = meanOf(values.filter((_, row) => readable(row)))
  return values.map((value, row) => (readable(row) ? value - mean : 0))
}

const captionOf = (t: number): string =>
  t === 0
    ? 'A tile is one latent: red where it reads more than on average, blue where less.'
    : 'The same latents when they read again, knowing what they have read before.'

/** One grid for each cross attention, a tile for each latent. maps: [1, N, height width] each. */
export function crossAttentionGrids(
  maps: readonly NDArray[],
  [height, width]: Size,
  limit = Number.POSITIVE_INFINITY,
  title = (t: number): string => `Cross attention ${t + 1}`,
): HeatmapGrid[] {
  return maps.map((map, t) => ({
    kind: 'heatmaps',
    title: title(t),
    caption: captionOf(t),
    matrices: latentsOf(map)
      .slice(0, limit)
      .map((values, n): Matrix => ({ values: centred(values), width, height, caption: String(n) })),
    size: Math.max(72, Math.min(336, width)),
  }))
}

/** One picture for each cross attention: a line is a latent, a column a row of the input. maps: [1, N, M] each. */
export function latentLines(
  maps: readonly NDArray[],
  limit: number,
  { title, of, readable }: { title: (t: number) => string; of: string; readable?: (row: number) => boolean },
): HeatmapGrid[] {
  return maps.map((map, t) => {
    const lines = latentsOf(map).slice(0, limit)
    return {
      kind: 'heatmaps',
      title: title(t),
      caption: `A line is one latent, a column ${of}: red where it reads more than on average, blue where less.`,
      matrices: [
        {
          values: lines.flatMap((values) => centred(values, readable)),
          width: lines[0]?.length ?? 0,
          height: lines.length,
        },
      ],
      size: 480,
    }
  })
}

/** What one latent reads: weights that sum to 1. */
interface Reading {
  /** e to the entropy: how many rows it reads, were they read alike. */
  readonly count: number
  /** The row that is read most, and its weight. */
  readonly most: number
  readonly weight: number
  /** Share of the weights in each group. */
  readonly shares: readonly number[]
}

/** What follows from the weights of a latent. */
export function readingOf(weights: readonly number[], groups: readonly RowGroup[] = []): Reading {
  const entropy = weights.reduce((sum, weight) => sum - (weight > 0 ? weight * Math.log(weight) : 0), 0)
  const most = weights.reduce((best, weight, row) => (weight > (weights[best] ?? 0) ? row : best), 0)
  const shares = groups.map(({ has }) => weights.reduce((sum, weight, row) => sum + (has(row) ? weight : 0), 0))
  return { count: Math.exp(entropy), most, weight: weights[most] ?? 0, shares }
}

/** Two digits: below ten percent one of them is a decimal. */
const shown = (share: number): string => percent(share, share < 0.0995 ? 1 : 0)

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2
}

/** A hue for each latent, neighbours far apart: red, green, blue, 0 to 255. */
function colorOf(latent: number): readonly number[] {
  const hue = (latent * 137.508) % 360 // the golden angle
  const light = 0.42 + 0.16 * (latent % 3)
  return [0, 8, 4].map((shift) => {
    const k = (shift + hue / 30) % 12
    return Math.round(255 * (light - 0.3 * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  })
}

/** For each cell the colour of the latent that gives it the greatest weight. */
function ownersPicture(latents: readonly (readonly number[])[], [height, width]: Size, caption: string): Picture {
  const owners = Array.from({ length: height * width }, (_, row) =>
    latents.reduce((best, weights, n) => ((weights[row] ?? 0) > (latents[best]?.[row] ?? 0) ? n : best), 0),
  )
  return { pixels: Uint8Array.from(owners.flatMap(colorOf)), width, height, channels: 3, caption }
}

/** What one cross attention's latents read, in a sentence for all rows and one for each group. */
function sentenceOf(readings: readonly Reading[], t: number, { unit, groups = [] }: RowNames, rows: number): string {
  const counts = readings.map(({ count }) => count)
  const inGroups = groups.map(({ name, has }, g) => {
    const size = Array.from({ length: rows }, (_, row) => row).filter(has).length / rows
    const shares = readings.map((reading) => reading.shares[g] ?? 0)
    return ` ${name[0]?.toUpperCase()}${name.slice(1)}, ${shown(size)} of the ${unit}, gets ${shown(meanOf(shares))} of all weights, of single latents ${shown(Math.min(...shares))} to ${shown(Math.max(...shares))}.`
  })
  return `Cross attention ${t + 1}: a latent reads as much as ${medianOf(counts).toFixed(0)} of the ${rows.toLocaleString('en')} ${unit} read alike (median; ${Math.min(...counts).toFixed(0)} to ${Math.max(...counts).toFixed(0)}).${inGroups.join('')}`
}

/** One line for each latent of each cross attention. */
function latentTable(readings: readonly (readonly Reading[])[], names: RowNames, limit: number): Table {
  const { unit, place, where, groups = [] } = names
  const lines = readings.flatMap((own, t) =>
    own
      .slice(0, limit)
      .map(({ count, most, weight, shares }, n) => [
        t + 1,
        n,
        Math.round(count),
        place(most),
        shown(weight),
        ...shares.map(shown),
      ]),
  )
  return {
    kind: 'table',
    title: 'Latent by latent',
    caption: `Weights after the softmax, the mean of the heads. How many: e to the entropy of the weights, which is all ${unit} where they are read alike.`,
    columns: [
      'cross attention',
      'latent',
      `how many ${unit}`,
      where === undefined ? 'most read' : `most read: ${where}`,
      'its weight',
      ...groups.map(({ name }) => name),
    ],
    rows: lines,
  }
}

/** Which latents read what: in words, as a picture where the rows are one, and as a table. weights: [1, N, M], after the softmax. */
export function readingFigures(weights: readonly NDArray[], names: RowNames, limit: number): Figure[] {
  const { unit, groups, grid } = names
  const maps = weights.map(latentsOf)
  const readings = maps.map((latents) => latents.map((values) => readingOf(values, groups)))
  const rows = maps[0]?.[0]?.length ?? 0
  const owners: Figure[] = grid
    ? [
        {
          kind: 'pictures',
          title: 'Who reads what',
          caption: `Each of the ${unit} has the colour of the latent that gives it the greatest weight.`,
          pictures: maps.map((latents, t) => ownersPicture(latents, grid, `cross attention ${t + 1}`)),
          size: 168,
        },
      ]
    : []
  const paragraphs = readings.map((own, t) => sentenceOf(own, t, names, rows))
  return [
    { kind: 'text', title: 'Which latents read what', paragraphs },
    ...owners,
    latentTable(readings, names, limit),
  ]
}
