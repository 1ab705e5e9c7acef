/** RetinaNet (Lin et al. 2017, arXiv 1708.02002): classes and boxes at every anchor, with focal loss. */
import { ConvModule } from '../../../nn/conv-module.ts'
import { Conv2d, init, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { anchorsOf, decodeBoxes, deltaScales, encodeBoxes } from './anchors.ts'
import { assignBoxes, type Objects } from './assign.ts'
import { type AnchorConfig, assignRules, type CompleteConfig } from './config.ts'
import { bestRows, exampleOf, rowsAt, rowsOfMap } from './levels.ts'
import { countOf, focalLoss, l1OfRows, ones } from './losses.ts'

/** Strides of its levels: it leaves out the finest of the backbone. */
const retinaStrides = [8, 16, 32, 64, 128]

/** Three scales in an octave, from half the RPN's on: 4 for its 8. */
function retinaAnchors({ anchor_scale }: CompleteConfig): AnchorConfig {
  const scales = [0, 1, 2].map((i) => (anchor_scale / 2) * 2 ** (i / 3))
  return { strides: retinaStrides, ratios: [0.5, 1, 2], scales }
}

const anchorsOfPosition = 9

/** Says that a probability is 0.01 at first, so that the many anchors of the background do not drown the rest. */
const firstBias = -Math.log((1 - 0.01) / 0.01)

/** What the head says of the anchors of all levels. */
interface RetinaMaps {
  readonly anchors: readonly Tensor[]
  /** [N, A, classes] each */
  readonly logits: readonly Tensor[]
  /** [N, A, 4] each */
  readonly deltas: readonly Tensor[]
}

export class RetinaHead extends Module {
  readonly cls_convs: readonly ConvModule[]
  readonly reg_convs: readonly ConvModule[]
  readonly retina_cls: Conv2d
  readonly retina_reg: Conv2d
  readonly #config: CompleteConfig

  constructor(config: CompleteConfig) {
    super()
    const { channels, num_classes, stacked_convs } = config
    const small: init.Initializer = (shape) => init.normal(shape, { std: 0.01 })
    const branch = (): ConvModule[] =>
      Array.from(
        { length: stacked_convs },
        () => new ConvModule(channels, channels, 3, { padding: 1, relu: true, initWeight: small }),
      )
    const last = (to: number, bias: number): Conv2d =>
      new Conv2d(channels, to, 3, { padding: 1, initWeight: small, initBias: init.constant(bias) })
    this.cls_convs = branch()
    this.reg_convs = branch()
    this.retina_cls = last(anchorsOfPosition * num_classes, firstBias)
    this.retina_reg = last(anchorsOfPosition * 4, 0)
    this.#config = config
  }

  /** Levels of the pyramid [N, C, h, w] -> what it says of their anchors. */
  forward(maps: readonly Tensor[]): RetinaMaps {
    const through = (convs: readonly ConvModule[], map: Tensor): Tensor =>
      convs.reduce((x, conv) => conv.forward(x), map)
    return {
      anchors: anchorsOf(maps, retinaAnchors(this.#config)),
      logits: maps.map((map) =>
        rowsOfMap(this.retina_cls.forward(through(this.cls_convs, map)), this.#config.num_classes),
      ),
      deltas: maps.map((map) => rowsOfMap(this.retina_reg.forward(through(this.reg_convs, map)), 4)),
    }
  }

  /** Focal loss and L1, both divided by the number of anchors that stand for objects. */
  losses(found: RetinaMaps, objects: readonly Objects[]): { readonly loss_cls: Tensor; readonly loss_bbox: Tensor } {
    const anchors = ops.concat([...found.anchors], 0)
    const [logits, deltas] = [ops.concat([...found.logits], 1), ops.concat([...found.deltas], 1)]
    const parts = objects.map((own, i) => {
      const { positive, negative, object } = assignBoxes(anchors, own, assignRules.retina)
      const label = ops.maximum(ops.cast(rowsAt(own.classes, object), 'int64'), 0)
      const target = ops.mul(ops.oneHot(label, this.#config.num_classes, 'float32'), ops.unsqueeze(ones(positive), 1))
      const counts = ops.unsqueeze(ones(ops.logicalOr(positive, negative)), 1)
      const wanted = encodeBoxes(anchors, rowsAt(own.boxes, object), deltaScales.proposals)
      return {
        cls: ops.sum(ops.mul(focalLoss(exampleOf(logits, i), target), counts)),
        bbox: l1OfRows(exampleOf(deltas, i), wanted, positive),
        positives: countOf(positive),
      }
    })
    const positives = ops.addAll(parts.map((part) => part.positives))
    return {
      loss_cls: ops.div(ops.addAll(parts.map(({ cls }) => cls)), positives),
      loss_bbox: ops.div(ops.addAll(parts.map(({ bbox }) => bbox)), positives),
    }
  }

  /** Scores [P, classes] and boxes [P, 4] of the best anchors of one picture. */
  candidatesOf({ anchors, logits, deltas }: RetinaMaps, example: number, picture: readonly [number, number]) {
    const levels = anchors.map((own, level) => {
      const scores = ops.sigmoid(exampleOf(logits[level] as Tensor, example))
      const { places } = bestRows(ops.max(scores, 1), Math.min(1000, this.#config.nms_pre))
      const differences = rowsAt(exampleOf(deltas[level] as Tensor, example), places)
      return {
        scores: rowsAt(scores, places),
        boxes: decodeBoxes(rowsAt(own, places), differences, deltaScales.proposals, picture),
      }
    })
    return {
      scores: ops.concat(
        levels.map(({ scores }) => scores),
        0,
      ),
      boxes: ops.concat(
        levels.map(({ boxes }) => boxes),
        0,
      ),
    }
  }
}
