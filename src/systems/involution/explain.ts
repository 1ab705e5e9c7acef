/** What a trained RedNet shows of itself: its kernels at every pixel (paper, Figure 2), the kernel at one that is picked. */
import { compile } from '../../compile/compile.ts'
import { Involution, type Module, observeForward } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { HeatmapGrid, Matrix, Section } from '../../report/figures.ts'
import { picturesOf } from '../../report/from-tensors.ts'
import type { ThreadOptions } from '../../tasks/experiment.ts'
import { type ClassifierModel, normalizePixels } from '../../tasks/pictures/classifier.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { meanOrZero } from '../../util/vectors.ts'
import { suggestion } from '../../util/words.ts'

/** The involutions of a model by the names of their blocks: `stem.1`, `layer2.0.conv2`. */
export function involutionsOf(model: Module): Map<string, Involution> {
  const found = [...model.namedModules()].flatMap(([name, module]) =>
    module instanceof Involution ? [[name.replace(/^backbone\./, ''), module] as const] : [],
  )
  return new Map(found)
}

/** The last involution of a middle stage, as in the paper's figure; undefined for a network without. */
export function usualLayer(names: readonly string[]): string | undefined {
  const stages = names.flatMap((name) => /^layer(\d+)\./.exec(name)?.[1] ?? [])
  const middle = Math.ceil(Math.max(0, ...stages.map(Number)) / 2)
  return names.filter((name) => name.startsWith(`layer${middle}.`)).at(-1) ?? names.at(-1)
}

/** Kernels of one layer for a batch of pictures. */
export interface KernelMaps {
  /** [N, G, K, K, h, w] */
  readonly kernels: NDArray
  /** Class probabilities [N, classes]. */
  readonly probabilities: NDArray
}

/** The kernels that a layer makes for `image` uint8 [N, C, H, W]. Throws a UsageError for a name that is no involution. */
export async function kernelMaps(
  model: ClassifierModel,
  image: NDArray,
  layer: string,
  options: ThreadOptions = {},
): Promise<KernelMaps> {
  const involutions = involutionsOf(model)
  const chosen = involutions.get(layer)
  if (!chosen)
    throw new UsageError(`the model has no involution "${layer}"`, { hint: suggestion(layer, [...involutions.keys()]) })
  const run = compile((pixels: Tensor) => {
    let flat: Tensor | undefined
    const observe = (module: Module, result: unknown): void => {
      if (module === chosen.conv2 && result instanceof Tensor) flat = result
    }
    const logits = observeForward(observe, () => model.forward(normalizePixels(pixels)))
    const [n, , height, width] = (flat ?? logits).sizes(4)
    const { groups, kernelSize } = chosen
    return {
      kernels: ops.reshape(flat ?? logits, [n, groups, kernelSize, kernelSize, height, width]),
      probabilities: ops.softmax(logits, -1),
    }
  }, options)
  try {
    const { kernels, probabilities } = await model.inEvalMode(() => run(image))
    return { kernels: kernels.array, probabilities: probabilities.array }
  } finally {
    await run.release()
  }
}

/** The sum of the K x K kernel at each pixel, a map for each group of one example (paper, Figure 2). */
export function sumMaps({ data, shape }: NDArray, example: number): Matrix[] {
  const [, groups = 0, rows = 0, columns = 0, height = 0, width = 0] = shape
  const [area, places] = [height * width, rows * columns]
  const values = toNumbers(data)
  return Array.from({ length: groups }, (_, g) => {
    const start = (example * groups + g) * places * area
    const sums = Array.from({ length: area }, (_, i) => {
      let sum = 0
      for (let t = 0; t < places; t++) sum += values[start + t * area + i] ?? 0
      return sum
    })
    return { values: sums, width, height, caption: `group ${g + 1}` }
  })
}

/** The K x K kernel of each group at a position [y, x] of the layer's map. */
export function kernelsAt({ data, shape }: NDArray, example: number, [y, x]: readonly [number, number]): Matrix[] {
  const [, groups = 0, rows = 0, columns = 0, height = 0, width = 0] = shape
  const values = toNumbers(data)
  return Array.from({ length: groups }, (_, g) => ({
    values: Array.from({ length: rows * columns }, (_, t) => {
      return values[((example * groups + g) * rows * columns + t) * height * width + y * width + x] ?? 0
    }),
    width: columns,
    height: rows,
    caption: `group ${g + 1}`,
  }))
}

/** A map less its mean: colours say more or less than the map's own average. */
function centred(matrix: Matrix): Matrix {
  const values = Array.from(matrix.values)
  const mean = meanOrZero(values)
  return { ...matrix, values: values.map((value) => value - mean) }
}

/** Heat maps of the sums for one example. */
export function sumGrid(kernels: NDArray, example: number, title: string, limit: number): HeatmapGrid {
  return {
    kind: 'heatmaps',
    title,
    caption: 'The sum of the kernel at each pixel, a tile for each group: red above the mean of the tile, blue below.',
    matrices: sumMaps(kernels, example).slice(0, limit).map(centred),
    size: 96,
  }
}

const tilesInReport = 8

/** The section of the report: pictures of the test set, and where their kernels are strong. Nothing for a network without involutions. */
export async function kernelSections(
  model: ClassifierModel,
  image: NDArray,
  options: ThreadOptions,
): Promise<readonly Section[]> {
  const layer = usualLayer([...involutionsOf(model).keys()])
  if (layer === undefined) return []
  const { kernels } = await kernelMaps(model, image, layer, options)
  const pictures = picturesOf(image)
  const [height, width] = sizes(kernels.shape.slice(4), 2)
  const middle = [Math.floor(height / 2), Math.floor(width / 2)] as const
  return [
    {
      title: 'Its kernels',
      intro: `The involution \`${layer}\` makes another kernel at each of ${height} x ${width} pixels. \`tenfold inspect RUN FILE\` draws them for a picture of yours, of any layer and pixel.`,
      figures: pictures.flatMap((picture, i) => [
        { kind: 'pictures', title: `Picture ${i + 1}`, pictures: [picture], size: 96 },
        sumGrid(kernels, i, `Picture ${i + 1}: kernels summed`, tilesInReport),
        {
          kind: 'heatmaps',
          title: `Picture ${i + 1}: the kernel in the middle`,
          caption: 'As it is, one tile for each group: red positive, blue negative.',
          matrices: kernelsAt(kernels, i, middle).slice(0, tilesInReport),
        },
      ]),
    },
  ]
}
