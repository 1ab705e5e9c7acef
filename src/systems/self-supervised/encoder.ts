/** What embeds an input: any network with a representation and a last layer `fc` that a method may replace by its projector. */
import { ViT, type ViTSizes } from '../../models/index.ts'
import { type Layer, Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** As torchvision's networks (`ResNet` of models/ is one): methods put their projector in the place of `fc`; representations are used without it. */
export type Encoder = Module & {
  fc: Layer | undefined
  /** Width of the representation. */
  readonly numFeatures: number
  /** The representation before `fc`: [N, C]. */
  features(x: Tensor): Tensor
  /** fc of the representation, or the representation. */
  forward(x: Tensor): Tensor
}

/** Layers l1, l2, ... with a ReLU after each, then `fc`. */
export class MLPEncoder extends Module {
  readonly [layer: `l${number}`]: Linear
  fc: Layer | undefined
  readonly numFeatures: number
  readonly #depth: number

  /** widths: those of the layers; the last is that of the representation. */
  constructor(inFeatures: number, widths: readonly number[], fc?: Layer) {
    super()
    for (const [i, width] of widths.entries()) {
      const layer = { [`l${i + 1}`]: new Linear(widths[i - 1] ?? inFeatures, width) }
      Object.assign(this, layer)
    }
    this.#depth = widths.length
    this.numFeatures = widths.at(-1) ?? inFeatures
    this.fc = fc
  }

  /** x [N, ...] -> [N, C]: what is not a vector is flattened. */
  features(x: Tensor): Tensor {
    let rows = x.rank > 2 ? ops.flatten(x, 1) : x
    for (let i = 1; i <= this.#depth; i++) rows = ops.relu(this[`l${i}`]?.forward(rows) ?? rows)
    return rows
  }

  forward(x: Tensor): Tensor {
    const features = this.features(x)
    return this.fc?.forward(features) ?? features
  }
}

/** A ViT whose class token is the representation, then `fc`. */
export class ViTEncoder extends Module {
  readonly vit: ViT
  fc: Layer | undefined
  readonly numFeatures: number

  constructor(sizes: ViTSizes, inChannels: number, imageSize: readonly [number, number]) {
    super()
    this.vit = new ViT({ ...sizes, imageSize, inChannels, numClasses: 0, mlpWidth: 2 * sizes.width })
    this.fc = undefined
    this.numFeatures = sizes.width
  }

  /** x [N, C, H, W] -> [N, width]. */
  features(x: Tensor): Tensor {
    return this.vit.features(x)
  }

  forward(x: Tensor): Tensor {
    const features = this.features(x)
    return this.fc?.forward(features) ?? features
  }
}
