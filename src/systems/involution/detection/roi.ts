/** The second stage (Fast and Mask R-CNN): boxes and masks of regions, their losses, and what is found in them. */
import { init, Linear, Module } from '../../../nn/index.ts'
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { MaskHead } from '../heads.ts'
import { decodeBoxes, deltaScales, encodeBoxes } from './anchors.ts'
import { assignBoxes, type Objects, sampleBoxes } from './assign.ts'
import { assignRules, type CompleteConfig } from './config.ts'
import { rowsAt } from './levels.ts'
import { countOf, l1OfRows, ones } from './losses.ts'
import type { Proposals } from './rpn.ts'

/** Two hidden layers, class scores (the background last), differences of the box for each class: mmdet's Shared2FCBBoxHead. */
class BBoxHead extends Module {
  readonly shared_fcs: readonly Linear[]
  readonly fc_cls: Linear
  readonly fc_reg: Linear

  constructor({ channels, fc_channels, num_classes }: CompleteConfig) {
    super()
    const hidden = (from: number): Linear =>
      new Linear(from, fc_channels, { initWeight: init.xavierUniform, initBias: init.zeros })
    const last = (to: number, std: number): Linear =>
      new Linear(fc_channels, to, { initWeight: (shape) => init.normal(shape, { std }), initBias: init.zeros })
    this.shared_fcs = [hidden(channels * boxSize ** 2), hidden(fc_channels)]
    this.fc_cls = last(num_classes + 1, 0.01)
    this.fc_reg = last(4 * num_classes, 0.001)
  }

  /** Regions [R, C, 7, 7] -> logits [R, classes + 1], deltas [R, classes, 4]. */
  forward(regions: Tensor): { readonly logits: Tensor; readonly deltas: Tensor } {
    const x = this.shared_fcs.reduce((y, fc) => ops.relu(fc.forward(y)), ops.flatten(regions, 1))
    const deltas = this.fc_reg.forward(x)
    return { logits: this.fc_cls.forward(x), deltas: ops.reshape(deltas, [deltas.shape[0] ?? 0, -1, 4]) }
  }
}

/** Sides of what is cut out for boxes and for masks. */
const [boxSize, maskSize] = [7, 14]

/** Strides of the maps that regions are cut from, and the side of a region of which the finest is taken, up to twice as much. */
const regionStrides = [4, 8, 16, 32]
const finestSide = 56

/**
 * Regions of a pyramid: each is cut from one level by its size (Lin et al. 2017), level 0 below sides of 112 pixels. rois [R, 5]: example,
 * corners -> [R, C, size, size]. On all other levels the region is empty, which RoIAlign gives zeros for.
 */
function cutRegions(maps: readonly Tensor[], rois: Tensor, size: number): Tensor {
  const [examples, corners] = [ops.slice(rois, [0, 1], 1), ops.slice(rois, [1, 5], 1)]
  const area = ops.boxArea(corners)
  const level = ops.floor(ops.log2(ops.add(ops.div(ops.sqrt(area), finestSide), 1e-6)))
  const own = ops.unsqueeze(ops.clamp(level, 0, regionStrides.length - 1), 1) // [R, 1]
  return ops.addAll(
    regionStrides.map((stride, i) => {
      const here = ops.mul(corners, ones(ops.equal(own, i)))
      return ops.roiAlign(maps[i] as Tensor, ops.concat([examples, here], 1), size, {
        spatialScale: 1 / stride,
        samplingRatio: 0,
        aligned: true,
      })
    }),
  )
}

/** Boxes [R, 4] of an example as rois [R, 5]. */
export function roisOf(boxes: Tensor, example: number): Tensor {
  return ops.concat([ops.full([boxes.shape[0] ?? 0, 1], example), boxes], 1)
}

/** Regions of one picture whose losses are computed. */
interface Training {
  readonly boxes: Tensor
  readonly positive: Tensor
  readonly counts: Tensor
  /** int64 [S] */
  readonly object: Tensor
  /** int64 [S]: of the object; the background's is the number of classes. */
  readonly label: Tensor
  readonly deltas: Tensor
}

export class RoIHead extends Module {
  readonly bbox_head: BBoxHead
  readonly mask_head: MaskHead | undefined
  readonly #config: CompleteConfig

  constructor(config: CompleteConfig) {
    super()
    const { kind, channels, num_classes, head, stacked_convs } = config
    this.bbox_head = new BBoxHead(config)
    this.mask_head =
      kind === 'mask_rcnn'
        ? new MaskHead({
            in_channels: channels,
            conv_out_channels: channels,
            num_classes,
            num_convs: stacked_convs,
            operator: head,
          })
        : undefined
    this.#config = config
  }

  /** Regions [R, 5] of the maps -> logits [R, classes + 1], deltas [R, classes, 4]. */
  forward(maps: readonly Tensor[], rois: Tensor): { readonly logits: Tensor; readonly deltas: Tensor } {
    return this.bbox_head.forward(cutRegions(maps, rois, boxSize))
  }

  /** Regions of a picture drawn from its proposals and its objects themselves, of which some stand for objects. */
  #sample({ boxes, exists }: Proposals, own: Objects): Training {
    const { num_classes, roi_samples } = this.#config
    const isObject = ops.greaterOrEqual(own.classes, 0)
    const all = ops.concat([own.boxes, boxes], 0)
    const there = ops.concat([isObject, exists], 0)
    const assigned = assignBoxes(all, own, assignRules.rcnn)
    const keys = ops.randomUniform([all.shape[0] ?? 0])
    const sampled = sampleBoxes(
      {
        positive: ops.logicalAnd(assigned.positive, there),
        negative: ops.logicalAnd(assigned.negative, there),
      },
      keys,
      { num: roi_samples, pos_fraction: 0.25 },
    )
    const [chosen, object] = [rowsAt(all, sampled.index), rowsAt(assigned.object, sampled.index)]
    const label = ops.where(sampled.positive, ops.cast(rowsAt(own.classes, object), 'int64'), num_classes)
    const deltas = encodeBoxes(chosen, rowsAt(own.boxes, object), deltaScales.boxes)
    return { boxes: chosen, object, label, deltas, positive: sampled.positive, counts: sampled.counts }
  }

  /** Losses of the boxes, and of the masks where there is a mask head. masks: uint8 [N, M, H, W]. */
  losses(
    maps: readonly Tensor[],
    proposals: readonly Proposals[],
    objects: readonly Objects[],
    masks: Tensor | undefined,
  ): Readonly<Record<string, Tensor>> {
    const samples = proposals.map((own, i) => this.#sample(own, objects[i] as Objects))
    const joined = (part: (sample: Training) => Tensor): Tensor => ops.concat(samples.map(part), 0)
    const rois = ops.stopGradient(
      ops.concat(
        samples.map(({ boxes }, i) => roisOf(boxes, i)),
        0,
      ),
    )
    const { logits, deltas } = this.forward(maps, rois)
    const [label, counts, positive] = [joined((s) => s.label), joined((s) => s.counts), joined((s) => s.positive)]
    const total = countOf(counts)
    const losses = ops.crossEntropy(logits, label, { reduction: 'none' })
    const ownDeltas = ofClass(deltas, ops.minimum(label, this.#config.num_classes - 1))
    return {
      loss_cls: ops.div(ops.sum(ops.mul(losses, ones(counts))), total),
      loss_bbox: ops.div(
        l1OfRows(
          ownDeltas,
          joined((s) => s.deltas),
          positive,
        ),
        total,
      ),
      ...(this.mask_head && masks && { loss_mask: this.#maskLoss(maps, samples, masks) }),
    }
  }

  /** Binary cross-entropy of the masks of the objects' own classes, cut out of the objects' masks as the regions are. */
  #maskLoss(maps: readonly Tensor[], samples: readonly Training[], masks: Tensor): Tensor {
    const most = Math.max(1, Math.floor((samples[0]?.boxes.shape[0] ?? 1) / 4)) // objects come first
    const [, perPicture, height, width] = masks.sizes(4)
    const first = (part: (sample: Training) => Tensor): Tensor[] =>
      samples.map((sample) => ops.slice(part(sample), [0, most], 0))
    const boxes = first((s) => s.boxes)
    const rois = ops.stopGradient(
      ops.concat(
        boxes.map((own, i) => roisOf(own, i)),
        0,
      ),
    )
    const owners = ops.concat(
      first((s) => s.object).map((object, i) => ops.add(object, i * perPicture)),
      0,
    )
    const flat = ops.cast(ops.reshape(masks, [-1, 1, height, width]), 'float32')
    const places = ops.concat([ops.unsqueeze(ops.cast(owners, 'float32'), 1), ops.concat(boxes, 0)], 1)
    const logits = this.maskLogits(
      maps,
      rois,
      ops.concat(
        first((s) => s.label),
        0,
      ),
    )
    const side = logits.shape[1] ?? 0
    const wanted = ops.roiAlign(flat, places, side, { samplingRatio: 0, aligned: true })
    const target = ones(ops.greaterOrEqual(ops.squeeze(wanted, 1), 0.5))
    const positive = ops.concat(
      first((s) => s.positive),
      0,
    )
    const losses = ops.mean(ops.bceWithLogits(logits, target, { reduction: 'none' }), [1, 2])
    return ops.div(ops.sum(ops.mul(losses, ones(positive))), countOf(positive))
  }

  /** Logits of the masks of regions [R, 5] for one class each, int64 [R] (the background's is taken for the last): [R, 28, 28]. */
  maskLogits(maps: readonly Tensor[], rois: Tensor, label: Tensor): Tensor {
    const head = this.mask_head
    if (!head) throw new Error('the detector has no mask head')
    const all = head.forward(cutRegions(maps, rois, maskSize)) // [R, classes, 28, 28]
    return ofClass(all, ops.minimum(label, (all.shape[1] ?? 1) - 1))
  }

  /** Scores [P, classes] and boxes [P, classes, 4] of each proposal of a picture. */
  regionsOf(
    maps: readonly Tensor[],
    { boxes, exists }: Proposals,
    example: number,
    picture: readonly [number, number],
  ) {
    const { logits, deltas } = this.forward(maps, roisOf(boxes, example))
    const { num_classes } = this.#config
    const probabilities = ops.slice(ops.softmax(logits, -1), [0, num_classes], 1)
    return {
      scores: ops.mul(probabilities, ops.unsqueeze(ones(exists), 1)),
      boxes: decodeBoxes(ops.unsqueeze(boxes, 1), deltas, deltaScales.boxes, picture),
    }
  }
}

/** Of x [R, classes, ...] the part of each row's class, int64 [R]: [R, ...]. */
function ofClass(x: Tensor, label: Tensor): Tensor {
  const [rows = 0, classes = 0, ...rest] = x.shape
  const place = ops.add(ops.mul(ops.arange(rows), classes), label)
  return rowsAt(ops.reshape(x, [rows * classes, ...rest]), place)
}
