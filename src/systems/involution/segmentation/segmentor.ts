/** Whole networks that give every pixel a class: Semantic FPN and UPerNet. */
import type { ResNet } from '../../../models/resnet.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FPN } from '../fpn.ts'
import type { HeadOperator } from '../heads.ts'
import type { RedNet } from '../model.ts'
import { FCNHead, FPNHead, resizedTo, UPerHead } from './heads.ts'

export const segmentorKinds = ['semantic_fpn', 'upernet'] as const

export interface SegmentorConfig {
  readonly kind: (typeof segmentorKinds)[number]
  readonly num_classes: number
  /** At the outputs of Semantic FPN's pyramid. Default: involution. UPerNet has convolutions. */
  readonly neck?: HeadOperator
  /** Channels of that pyramid. Default: 256. */
  readonly channels?: number
  /** Of the decoder: 128 in Semantic FPN, 512 in UPerNet. */
  readonly decoder_channels?: number
}

/** Pixels of this class do not count. */
export const ignoredLabel = 255

// UPerNet's second loss counts less.
const auxiliaryWeight = 0.4

export class Segmentor extends Module {
  readonly backbone: RedNet | ResNet
  readonly neck: FPN | undefined
  readonly decode_head: FPNHead | UPerHead
  readonly auxiliary_head: FCNHead | undefined

  /** `stages`: channels of the backbone's four stages. */
  constructor(backbone: RedNet | ResNet, stages: readonly number[], config: SegmentorConfig) {
    super()
    const { kind, num_classes, neck = 'involution', channels = 256 } = config
    this.backbone = backbone
    if (kind === 'semantic_fpn') {
      this.neck = new FPN({ in_channels: stages, out_channels: channels, num_outs: 4, operator: neck })
      this.decode_head = new FPNHead(channels, config.decoder_channels ?? 128, num_classes)
      this.auxiliary_head = undefined
    } else {
      const decoder = config.decoder_channels ?? 512
      this.neck = undefined
      this.decode_head = new UPerHead(stages, decoder, num_classes)
      this.auxiliary_head = new FCNHead(stages[2] ?? decoder, decoder / 2, num_classes)
    }
  }

  #logits(image: Tensor): { readonly logits: Tensor; readonly auxiliary: Tensor | undefined } {
    const maps = this.backbone.maps(image)
    const logits = this.decode_head.forward(this.neck?.forward(maps) ?? maps)
    const third = maps[2]
    return { logits, auxiliary: third && this.training ? this.auxiliary_head?.forward(third) : undefined }
  }

  /** Pictures [N, C, H, W] -> logits [N, classes, H, W]. */
  forward(image: Tensor): Tensor {
    const [, , height, width] = image.sizes(4)
    return resizedTo(this.#logits(image).logits, height, width)
  }

  /** Cross-entropy of the pixels, int32 [N, H, W]; mean over all pixels, also those that do not count, as mmseg has it. */
  losses(image: Tensor, labels: Tensor): Readonly<Record<string, Tensor>> {
    const { logits, auxiliary } = this.#logits(image)
    const of = (found: Tensor): Tensor => {
      const [, height, width] = labels.sizes(3)
      const losses = ops.crossEntropy(resizedTo(found, height, width), labels, {
        reduction: 'none',
        ignoreIndex: ignoredLabel,
      })
      return ops.mean(losses)
    }
    return { loss_seg: of(logits), ...(auxiliary && { loss_aux: ops.mul(of(auxiliary), auxiliaryWeight) }) }
  }
}
