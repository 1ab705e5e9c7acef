/** Whole detectors: a backbone, a pyramid, and the heads of RetinaNet, Faster R-CNN or Mask R-CNN. */
import type { ResNet } from '../../../models/resnet.ts'
import { Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { FPN } from '../fpn.ts'
import { RPNHead } from '../heads.ts'
import type { RedNet } from '../model.ts'
import type { Objects } from './assign.ts'
import { type CompleteConfig, completeConfig, type DetectorConfig, detectionIou } from './config.ts'
import { before, exampleOf, rowsAt } from './levels.ts'
import { ones } from './losses.ts'
import { RetinaHead } from './retina.ts'
import { RoIHead, roisOf } from './roi.ts'
import { type Proposing, proposalsOf, propose, rpnLosses } from './rpn.ts'

/** Pictures with their objects: `image` [N, C, H, W], boxes [N, M, 4], classes int32 [N, M], masks uint8 [N, M, H, W]. */
export interface DetectionBatch {
  readonly image: Tensor
  readonly boxes: Tensor
  readonly classes: Tensor
  readonly masks?: Tensor
}

/** What is found, K places for each picture, best first; of places from `count` on the score is 0. */
export interface Detections {
  /** Corners [N, K, 4], in pixels. */
  readonly boxes: Tensor
  /** [N, K] */
  readonly scores: Tensor
  /** int64 [N, K] */
  readonly classes: Tensor
  /** int64 [N] */
  readonly count: Tensor
  /** Probabilities [N, K, 28, 28] within the boxes, of Mask R-CNN. */
  readonly masks?: Tensor
}

/** Candidates of one picture: scores [P, classes], boxes [P, classes, 4] or one for all classes, [P, 4]. */
interface Candidates {
  readonly scores: Tensor
  readonly boxes: Tensor
}

export class Detector extends Module {
  readonly config: CompleteConfig
  readonly backbone: RedNet | ResNet
  readonly neck: FPN
  /** Of RetinaNet. */
  readonly bbox_head: RetinaHead | undefined
  /** Of the others. */
  readonly rpn_head: RPNHead | undefined
  readonly roi_head: RoIHead | undefined

  /** `channels`: of the backbone's four stages. */
  constructor(backbone: RedNet | ResNet, channels: readonly number[], config: DetectorConfig) {
    super()
    const complete = completeConfig(config)
    const isRetina = complete.kind === 'retinanet'
    this.config = complete
    this.backbone = backbone
    this.neck = new FPN({
      in_channels: channels,
      out_channels: complete.channels,
      num_outs: 5,
      operator: complete.neck,
      ...(isRetina && { start_level: 1, add_extra_convs: 'on_input' }),
    })
    this.bbox_head = isRetina ? new RetinaHead(complete) : undefined
    this.rpn_head = isRetina
      ? undefined
      : new RPNHead({
          in_channels: complete.channels,
          feat_channels: complete.channels,
          num_anchors: 3,
          operator: complete.head,
        })
    this.roi_head = isRetina ? undefined : new RoIHead(complete)
  }

  /** Levels of the pyramid. */
  #maps(image: Tensor): readonly Tensor[] {
    return this.neck.forward(this.backbone.maps(image))
  }

  /** The losses by mmdet's names. */
  losses({ image, boxes, classes, masks }: DetectionBatch): Readonly<Record<string, Tensor>> {
    const [n, , height, width] = image.sizes(4)
    const maps = this.#maps(image)
    const objects: Objects[] = Array.from({ length: n }, (_, i) => ({
      boxes: exampleOf(boxes, i),
      classes: exampleOf(classes, i),
    }))
    if (this.bbox_head) return { ...this.bbox_head.losses(this.bbox_head.forward(maps), objects) }
    const { proposing, roi } = this.#stages(maps)
    const proposals = objects.map((_, i) => proposalsOf(proposing, i, [height, width], this.config))
    return { ...rpnLosses(proposing, objects, this.config), ...roi.losses(maps, proposals, objects, masks) }
  }

  #stages(maps: readonly Tensor[]): { readonly proposing: Proposing; readonly roi: RoIHead } {
    const { rpn_head, roi_head } = this
    if (!rpn_head || !roi_head) throw new Error('a detector has one or two stages')
    return { proposing: propose(rpn_head, maps, this.config), roi: roi_head }
  }

  /** What is found in pictures [N, C, H, W]. */
  forward(image: Tensor): Detections {
    const [n, , height, width] = image.sizes(4)
    const picture = [height, width] as const
    const maps = this.#maps(image)
    if (this.bbox_head) {
      const found = this.bbox_head.forward(maps)
      return joined(Array.from({ length: n }, (_, i) => this.#best(this.bbox_head?.candidatesOf(found, i, picture))))
    }
    const { proposing, roi } = this.#stages(maps)
    const each = Array.from({ length: n }, (_, i) => {
      const proposals = proposalsOf(proposing, i, picture, this.config)
      const best = this.#best(roi.regionsOf(maps, proposals, i, picture))
      if (!roi.mask_head) return best
      return { ...best, masks: ops.sigmoid(roi.maskLogits(maps, roisOf(best.boxes, i), best.classes)) }
    })
    return joined(each)
  }

  /** The best of all boxes of all classes, without those that overlap a better one of their class (mmdet's multiclass_nms). */
  #best(candidates: Candidates | undefined): Detections {
    if (!candidates) throw new Error('nothing was found to choose from')
    const { scores, boxes } = candidates
    const { max_per_img: most, score_thr: scoreThreshold } = this.config
    const [count, classes] = scores.sizes(2)
    const each = boxes.rank === 3 ? boxes : ops.expand(ops.unsqueeze(boxes, 1), [count, classes, 4])
    const [flat, flatScores] = [ops.reshape(each, [-1, 4]), ops.reshape(scores, [-1])]
    const labels = ops.reshape(ops.expand(ops.unsqueeze(ops.arange(classes), 0), [count, classes]), [-1])
    const kept = ops.nms(flat, flatScores, {
      iouThreshold: detectionIou,
      scoreThreshold,
      maxDetections: most,
      classes: labels,
    })
    return {
      boxes: rowsAt(flat, kept.indices),
      scores: ops.mul(rowsAt(flatScores, kept.indices), ones(before(kept.count, most))),
      classes: rowsAt(labels, kept.indices),
      count: kept.count,
    }
  }
}

function joined(each: readonly Detections[]): Detections {
  const stacked = (part: (found: Detections) => Tensor): Tensor => ops.stack(each.map(part), 0)
  const masks = each.flatMap((found) => found.masks ?? [])
  return {
    boxes: stacked(({ boxes }) => boxes),
    scores: stacked(({ scores }) => scores),
    classes: stacked(({ classes }) => classes),
    count: stacked(({ count }) => count),
    ...(masks.length > 0 && { masks: ops.stack(masks, 0) }),
  }
}
