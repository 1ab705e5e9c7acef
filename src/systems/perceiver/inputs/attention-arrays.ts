/** What the latents read of any rows. */
import type { Figure, HeatmapGrid, Point } from '../../../report/figures.ts'
import type { ArrayFacts } from '../../../tasks/arrays/facts.ts'
import { readArrayExamples } from '../../../tasks/arrays/files.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { sizes } from '../../../tensor/shape.ts'
import { UsageError } from '../../../util/errors.ts'
import { latentLines } from '../attention-figures.ts'
import { attentionOver } from '../attention-maps.ts'
import type { ReadingPlan } from '../attention-reader.ts'
import type { ArrayInputs, ArrayPerceiver } from './arrays.ts'
import { cloudFigure } from './attention.ts'

type Arrays = Readonly<Record<keyof ArrayInputs, NDArray>>

/** The arrays of an example; positions and mask where the recipe has them. */
type ExampleArrays = Readonly<Record<'inputs', NDArray>> & Partial<Arrays>

/** The rows as they are: a column is a row, a line one of its channels. */
function inputsFigure(inputs: NDArray, title: string): HeatmapGrid {
  const [, rows, channels] = sizes(inputs.shape, 3)
  const values = toNumbers(inputs.data)
  return {
    kind: 'heatmaps',
    title,
    caption: 'The input: a column is a row, a line one of its channels.',
    matrices: [
      {
        values: Array.from(
          { length: channels * rows },
          (_, i) => values[(i % rows) * channels + Math.floor(i / rows)] ?? 0,
        ),
        width: rows,
        height: channels,
      },
    ],
    size: 480,
  }
}

/** Which rows may be read. */
function readableOf({ mask }: ExampleArrays): (row: number) => boolean {
  const values = mask && toNumbers(mask.data)
  return (row) => values === undefined || values[row] !== 0
}

/** The places of the rows, a list each; undefined: the file has none. */
function placesOf({ positions }: ExampleArrays): number[][] | undefined {
  if (!positions) return undefined
  const [, rows, axes] = sizes(positions.shape, 3)
  const values = toNumbers(positions.data)
  return Array.from({ length: rows }, (_, row) => values.slice(row * axes, (row + 1) * axes))
}

function mapsOf(example: ExampleArrays, maps: readonly NDArray[], latents: number): Figure[] {
  const title = (t: number): string => `Cross attention ${t + 1}`
  const readable = readableOf(example)
  const lines = latentLines(maps, latents, { title, of: 'a row; rows that are masked are white', readable })
  const places = placesOf(example)
  if (!places || (places[0]?.length ?? 0) < 2) return lines
  const at = (row: number): Point => ({ x: places[row]?.[0] ?? 0, y: places[row]?.[1] ?? 0 })
  const caption = 'Each row at the first two coordinates of its position.'
  return lines.flatMap((line, t) => {
    const map = maps[t]
    const axes = { title: `${title(t)}: where`, x: 'first coordinate', y: 'second coordinate', caption }
    return map ? [line, cloudFigure(at, map, axes, readable)] : [line]
  })
}

/** How arrays are read and drawn. */
export const arrayReading: ReadingPlan<ArrayPerceiver, ArrayFacts, keyof ArrayInputs> = {
  over: 'the rows',
  outputs: (model, inputs) => model.outputs(inputs),
  draw: (example, maps, _, latents, title) => [inputsFigure(example.inputs, title), ...mapsOf(example, maps, latents)],
  rows: (example) => {
    const places = placesOf(example)
    const shown = (row: number): string => places?.[row]?.map((value) => value.toFixed(2)).join(', ') ?? ''
    return { unit: 'rows', place: (row) => (places ? `row ${row} (${shown(row)})` : `row ${row}`) }
  },
}

/** The use `attention` of arrays: of one example of a file. */
export const attentionOverArrays = attentionOver<ArrayPerceiver, ArrayFacts, keyof ArrayInputs>({
  ...arrayReading,
  summary: 'which rows of an example each cross attention reads, along the array and at their positions',
  hasSeveral: true,
  read: async (file, facts, example) => {
    const examples = await readArrayExamples(file, facts)
    const found = examples[example]
    if (!found) {
      throw new UsageError(`${file}: example must be 0 to ${examples.length - 1}, found ${example}`)
    }
    return found.arrays as Arrays // as the facts say: what they lack is not there
  },
})
