/** What a Perceiver of pictures shows of itself: what its latents read (paper, Figure 3), and what a row knows of its place (Figure 2). */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import type { Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, HeatmapGrid, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import type { PictureFacts } from '../../tasks/pictures/facts.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { meanOf } from '../../util/vectors.ts'
import { crossAttentionGrids, crossMapsOf, type RowNames } from './attention-figures.ts'
import { explainReading, type ReadingPlan } from './attention-reader.ts'
import type { PerceiverClassifier } from './classifier.ts'
import type { Perceiver, PerceiverOutputs } from './model.ts'
import type { PositionEncoder } from './positions.ts'

type PictureReader = PerceiverClassifier<Tensor, PositionEncoder>

type Size = readonly [height: number, width: number]

/** What the rows of a picture [1, C, H, W] are: its pixels, and which are brighter than its mean, or the cells of a smaller grid. */
function cellNames(image: NDArray, grid: Size): RowNames {
  const [, channels, height, width] = sizes(image.shape, 4)
  const place = (row: number): string => `${Math.floor(row / grid[1])}, ${row % grid[1]}`
  const where = 'row, column'
  if (grid[0] !== height || grid[1] !== width) return { unit: 'cells', place, where, grid }
  const values = toNumbers(image.data)
  const area = height * width
  const brightness = (row: number): number =>
    Array.from({ length: channels }, (_, c) => values[c * area + row] ?? 0).reduce((a, b) => a + b, 0) / channels
  const mean = meanOf(values)
  return {
    unit: 'pixels',
    place,
    where,
    groups: [{ name: 'what is brighter than the mean', has: (row) => brightness(row) > mean }],
    grid,
  }
}

/** How pictures are read and drawn by a model whose rows are the cells of a grid (default: the pixels). */
export function readingOfPictures<Model extends Module & { outputs(images: Tensor): PerceiverOutputs }>(
  gridOf: (model: Model) => readonly number[] | undefined = () => undefined,
): ReadingPlan<Model, Pick<PictureFacts, 'labels'>, 'image'> {
  const grid = (image: NDArray, model: Model): Size => {
    const [, , height, width] = sizes(image.shape, 4)
    const [rows = height, columns = width] = gridOf(model) ?? []
    return [rows, columns]
  }
  return {
    over: 'the pixels',
    outputs: (model, { image }) => model.outputs(normalizePixels(image)),
    draw: ({ image }, maps, { model }, latents, title) => [
      { kind: 'pictures', title, pictures: picturesOf(image), size: 168 },
      ...crossAttentionGrids(maps, grid(image, model), latents),
    ],
    rows: ({ image }, { model }) => cellNames(image, grid(image, model)),
  }
}

/** How pictures are read pixel by pixel. */
export const pictureReading = readingOfPictures<PictureReader>()

/** The position features as pictures: what each channel says of every place of a grid, or of a line. */
export async function positionFigure(encoder: PositionEncoder, limit = 64): Promise<HeatmapGrid | undefined> {
  const features = encoder.positions() // [M, P]
  if (!features || encoder.sizes.length > 2) return undefined
  const [width = 1, height = 1] = encoder.sizes.toReversed()
  const [area, channels] = features.sizes(2)
  const values = await features.numbers()
  const channel = (c: number): number[] => Array.from({ length: area }, (_, m) => values[m * channels + c] ?? 0)
  const shown = Array.from({ length: Math.min(limit, channels) }, (_, c) => channel(c))
  const isGrid = height > 1
  return {
    kind: 'heatmaps',
    title: 'What a row knows of its place',
    caption: `${isGrid ? 'A tile' : 'A line'} is one channel of the position features, behind the channels of the data.`,
    matrices: isGrid
      ? shown.map((values) => ({ values, width, height }))
      : [{ values: shown.flat(), width, height: shown.length }],
    size: isGrid ? 56 : 480,
  }
}

/** The learned latents, the queries of the first cross attention: a row is a latent, a column a channel. */
function latentFigure({ latents }: Perceiver): HeatmapGrid {
  const [count, channels] = sizes(latents.shape, 2)
  return {
    kind: 'heatmaps',
    title: 'The latents',
    caption: `${count} learned vectors of ${channels} channels, one a row: with them the first cross attention asks. They are the same for all inputs.`,
    matrices: [{ values: toNumbers(latents.data), width: channels, height: count }],
    size: 320,
  }
}

/** The mean over test pictures of what each latent reads: what stays of a map is its place, whatever is there. */
async function meanReadings(model: PictureReader, test: Dataset<PictureFields>): Promise<Figure[]> {
  const count = Math.min(64, test.length)
  const { image } = await test.batch(
    Uint32Array.from({ length: count }, (_, i) => i),
    { epoch: 0, seed: 0 },
  )
  const run = compile((pixels: Tensor) => {
    const { attentions } = model.outputs(normalizePixels(pixels))
    return crossMapsOf(attentions, 'weights').map((weights) => ops.mean(weights, 0, { keepDims: true })) // [1, N, M]
  })
  const maps = (await run(image)).map(({ array }) => array)
  await run.release()
  const [, , height, width] = sizes(image.shape, 4)
  const grids = crossAttentionGrids(
    maps,
    [height, width],
    32,
    (t) => `Cross attention ${t + 1}: mean of ${count} pictures`,
  )
  return grids.map((grid) => ({ ...grid, caption: 'A tile is one latent: red where it reads more than on average.' }))
}

/** Sections of the report of a classifier of pictures. */
export async function explainPictures(
  model: PictureReader,
  test: Dataset<PictureFields>,
  facts: Pick<PictureFacts, 'labels'>,
): Promise<Section[]> {
  const sections = await explainReading(pictureReading, facts)(model, test)
  const positions = await positionFigure(model.input_preprocessor)
  return [
    ...sections,
    {
      title: 'Where the latents read on average',
      intro:
        'Weights after the softmax, the mean of test pictures: where a latent reads whatever the picture shows. A map without a pattern follows the picture.',
      figures: await meanReadings(model, test),
    },
    {
      title: 'Places and questions',
      intro:
        'What a pixel knows of its place, and the learned latents. `tenfold attention` draws the maps for pictures of your own.',
      figures: [...(positions ? [positions] : []), latentFigure(model.perceiver)],
    },
  ]
}
