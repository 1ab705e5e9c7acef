/** Models on pixels that carry their position features: what a Perceiver is compared with. All read the same rows [B, M, C]. */
import { ConvNet } from '../../../models/convnet.ts'
import { TransformerBlock } from '../../../models/transformer.ts'
import { ViT } from '../../../models/vit.ts'
import { Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { PerceiverConfig } from '../config.ts'
import { Perceiver } from '../model.ts'
import type { PositionConfig } from '../positions.ts'
import { ImagePreprocessor } from '../preprocess.ts'
import { networkConfig, type PerceiverSettings } from '../settings.ts'

/** Rows [B, M, C] -> logits [B, K]. */
export type RowModel = Module & { forward(rows: Tensor): Tensor }

/** The pixels of a picture as rows, perhaps in another order, and a model that reads them. */
export class RowClassifier extends Module {
  readonly pixels: ImagePreprocessor
  readonly net: RowModel
  readonly #order: Tensor | undefined

  /** `order`: the row that stands at each place, the same for all pictures; the features of its place go with a row. */
  constructor(pixels: ImagePreprocessor, net: (pixels: ImagePreprocessor) => RowModel, order?: Uint32Array) {
    super()
    this.pixels = pixels
    this.net = net(pixels)
    this.#order = order && constant(Int32Array.from(order), [order.length], 'int32')
  }

  /** images [B, C, H, W] in -1..1 -> logits [B, K]; pictures larger than the grid of rows are made smaller. */
  forward(images: Tensor): Tensor {
    const rows = this.pixels.forward(shrunk(images, this.pixels.sizes)) // [B, M, C]
    return this.net.forward(this.#order ? ops.indexSelect(rows, this.#order, 1) : rows)
  }
}

/** Means of blocks of pixels: pictures of `sizes`. */
function shrunk(images: Tensor, [height = 0]: readonly number[]): Tensor {
  const factor = images.sizes(4)[2] / height
  return factor === 1 ? images : ops.avgPool2d(images, factor)
}

/** Pixels with positions, of pictures brought to a side. */
export function pixelRows(
  facts: { readonly image_size: readonly [height: number, width: number]; readonly in_channels: number },
  position: PositionConfig,
  side?: number,
): ImagePreprocessor {
  const size = side === undefined ? facts.image_size : ([side, side] as const)
  return new ImagePreprocessor({ kind: 'image', prep_type: 'pixels', size, in_channels: facts.in_channels, position })
}

/** A model of pictures [B, C, H, W] that gets the rows as pixels of C channels. */
class OnGrid extends Module {
  readonly net: Module & { forward(images: Tensor): Tensor }
  readonly #sizes: readonly number[]

  constructor(sizes: readonly number[], net: Module & { forward(images: Tensor): Tensor }) {
    super()
    this.#sizes = sizes
    this.net = net
  }

  forward(rows: Tensor): Tensor {
    const [batch, , channels] = rows.sizes(3)
    return this.net.forward(ops.reshape(ops.transpose(rows), [batch, channels, ...this.#sizes]))
  }
}

/** Self-attention on the inputs: an embedding, blocks, mean, linear; the MLPs as wide as a Perceiver's. */
class RowTransformer extends Module {
  readonly embed: Linear
  readonly blocks: readonly TransformerBlock[]
  readonly logits: Linear

  constructor(inputChannels: number, { width, depth, heads, classes }: TransformerSizes) {
    super()
    this.embed = new Linear(inputChannels, width)
    this.blocks = Array.from({ length: depth }, () => new TransformerBlock(width, { heads, mlpWidth: width }))
    this.logits = new Linear(width, classes)
  }

  forward(rows: Tensor): Tensor {
    let x = this.embed.forward(rows) // [B, M, D]
    for (const block of this.blocks) x = block.forward(x)
    return this.logits.forward(ops.mean(x, 1))
  }
}

export interface TransformerSizes {
  readonly width: number
  readonly depth: number
  readonly heads: number
  readonly classes: number
}

/** The paper's network on rows; `changes`: what the settings do not say. */
export const perceiverOn =
  (settings: PerceiverSettings, classes: number, changes: Partial<PerceiverConfig> = {}) =>
  ({ outputChannels }: Pick<ImagePreprocessor, 'outputChannels'>): RowModel =>
    new Perceiver({ ...networkConfig(settings, outputChannels, classes), ...changes })

/** A transformer in which all rows attend to each other. */
export const transformerOn =
  (sizes: TransformerSizes) =>
  ({ outputChannels }: ImagePreprocessor): RowModel =>
    new RowTransformer(outputChannels, sizes)

/** Convolutions 3x3, the first two of stride 2, and the mean of all places. */
export const convNetOn =
  (width: number, depth: number, numClasses: number) =>
  ({ outputChannels, sizes }: ImagePreprocessor): RowModel =>
    new OnGrid(sizes, new ConvNet({ inChannels: outputChannels, numClasses, width, depth }))

/** A ViT whose patches are `patchSize` pixels wide. */
export const vitOn =
  (patchSize: number, { width, depth, heads, classes }: TransformerSizes) =>
  ({ outputChannels, sizes: [h = 0, w = 0] }: ImagePreprocessor): RowModel =>
    new OnGrid(
      [h, w],
      new ViT({
        imageSize: [h, w],
        inChannels: outputChannels,
        numClasses: classes,
        patchSize,
        width,
        depth,
        heads,
        mlpWidth: 2 * width,
        pool: 'avg',
      }),
    )
