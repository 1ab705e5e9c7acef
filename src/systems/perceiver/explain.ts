/** What a Perceiver shows of itself: what its latents read (paper, Figure 3), and what a row knows of its place (Figure 2). */
import { compile } from '../../compile/compile.ts'
import type { Dataset } from '../../data/dataset.ts'
import type { PictureFields } from '../../data/layout.ts'
import * as ops from '../../ops/index.ts'
import type { Figure, HeatmapGrid, Matrix, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import { normalizePixels } from '../../tasks/pictures/classifier.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { PerceiverClassifier } from './classifier.ts'
import type { NamedMaps, Perceiver } from './model.ts'
import type { PositionEncoder } from './positions.ts'

type Size = readonly [height: number, width: number]

/** Maps of the cross attentions, in their order: [B, N, M] each, the mean of the heads. */
export function crossMapsOf(attentions: readonly NamedMaps[], of: 'scores' | 'weights'): Tensor[] {
  return attentions.filter(({ kind }) => kind === 'cross').map((maps) => ops.mean(maps[of], 1))
}

/** A map less its mean: colours say more or less than the latent's own average. */
function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

/** One grid for each cross attention, a tile for each latent. maps: [1, N, height width] each. */
export function crossAttentionGrids(
  maps: readonly NDArray[],
  [height, width]: Size,
  limit = Number.POSITIVE_INFINITY,
): HeatmapGrid[] {
  const area = height * width
  return maps.map((map, t) => {
    const [, latents] = sizes(map.shape, 3)
    const values = toNumbers(map.data)
    const matrices = Array.from(
      { length: Math.min(limit, latents) },
      (_, n): Matrix => ({
        values: centred(values.slice(n * area, (n + 1) * area)),
        width,
        height,
        caption: String(n),
      }),
    )
    return {
      kind: 'heatmaps',
      title: `Cross attention ${t + 1}`,
      caption:
        t === 0
          ? 'A tile is one latent: red where it reads more than on average, blue where less.'
          : 'The same latents when they read again, knowing what they have read before.',
      matrices,
      size: 72,
    }
  })
}

/** The position features of a grid as pictures: what each channel says of every place. */
export async function positionFigure(encoder: PositionEncoder, limit = 64): Promise<HeatmapGrid | undefined> {
  const features = encoder.positions() // [M, P]
  if (!features || encoder.sizes.length !== 2) return undefined
  const [height, width] = sizes(encoder.sizes, 2)
  const [area, channels] = features.sizes(2)
  const values = await features.numbers()
  return {
    kind: 'heatmaps',
    title: 'What a pixel knows of its place',
    caption: 'A tile is one channel of the position features, behind the channels of the colour.',
    matrices: Array.from({ length: Math.min(limit, channels) }, (_, c) => ({
      values: Array.from({ length: area }, (_, m) => values[m * channels + c] ?? 0),
      width,
      height,
    })),
    size: 56,
  }
}

/** The learned latents, the queries of the first cross attention: a row is a latent, a column a channel. */
export function latentFigure({ latents }: Perceiver): HeatmapGrid {
  const [count, channels] = sizes(latents.shape, 2)
  return {
    kind: 'heatmaps',
    title: 'The latents',
    caption: `${count} learned vectors of ${channels} channels, one a row: with them the first cross attention asks. They are the same for all inputs.`,
    matrices: [{ values: toNumbers(latents.data), width: channels, height: count }],
    size: 320,
  }
}

/** Sections of the report of a classifier of pictures. */
export async function explainPictures(
  model: PerceiverClassifier<Tensor, PositionEncoder>,
  test: Dataset<PictureFields>,
): Promise<Section[]> {
  model.eval()
  const { image } = await test.batch([0], { epoch: 0, seed: 0 })
  const [, , height, width] = sizes(image.shape, 4)
  const run = compile((pixels: Tensor) => crossMapsOf(model.outputs(normalizePixels(pixels)).attentions, 'scores'))
  const maps = await run(image)
  const grids = crossAttentionGrids(
    maps.map(({ array }) => array),
    [height, width],
    32,
  )
  await run.release()
  const positions = await positionFigure(model.input_preprocessor)
  const figures: Figure[] = [
    { kind: 'pictures', title: 'The first test picture', pictures: picturesOf(image), size: 168 },
    ...grids,
    ...(positions ? [positions] : []),
    latentFigure(model.perceiver),
  ]
  return [
    {
      title: 'What the latents read',
      intro:
        'Scores of each latent for every pixel, before the softmax, as in the paper (after it they are too sparse to see). `tenfold attention` draws them for pictures of your own.',
      figures,
    },
  ]
}
