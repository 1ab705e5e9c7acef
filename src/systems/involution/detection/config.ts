/** How a detector is built, trained and asked, under mmdet's names. Defaults are the official ones. */
import type { HeadOperator } from '../heads.ts'

export const detectorKinds = ['retinanet', 'faster_rcnn', 'mask_rcnn'] as const
export type DetectorKind = (typeof detectorKinds)[number]

/** Boxes that are compared with objects, a set at each position of each level. */
export interface AnchorConfig {
  /** Pixels of the picture for one element of each level's map. */
  readonly strides: readonly number[]
  /** Height over width. */
  readonly ratios: readonly number[]
  /** Side of a square box in elements. */
  readonly scales: readonly number[]
}

/** What is taken for an object and what for background (mmdet's MaxIoUAssigner). */
export interface AssignConfig {
  /** A box is an object's from this overlap on. */
  readonly pos_iou_thr: number
  /** A box is background below this overlap; between both it does not count. */
  readonly neg_iou_thr: number
  /** The best boxes of an object are its own from this overlap on ... */
  readonly min_pos_iou: number
  /** ... unless this is false. */
  readonly match_low_quality: boolean
}

/** How many boxes of a picture are looked at (mmdet's RandomSampler). */
export interface SampleConfig {
  readonly num: number
  /** Share of objects among them, at most. */
  readonly pos_fraction: number
}

export const assignRules = {
  rpn: { pos_iou_thr: 0.7, neg_iou_thr: 0.3, min_pos_iou: 0.3, match_low_quality: true },
  rcnn: { pos_iou_thr: 0.5, neg_iou_thr: 0.5, min_pos_iou: 0.5, match_low_quality: false },
  retina: { pos_iou_thr: 0.5, neg_iou_thr: 0.4, min_pos_iou: 0, match_low_quality: true },
} as const satisfies Readonly<Record<string, AssignConfig>>

export interface DetectorConfig {
  readonly kind: DetectorKind
  readonly num_classes: number
  /** Channels of the pyramid and of convolutions in heads. Default: 256. */
  readonly channels?: number
  /** At the outputs of the pyramid. Default: involution. */
  readonly neck?: HeadOperator
  /** In the RPN and the mask head. RetinaNet's head is never replaced. Default: convolution. */
  readonly head?: HeadOperator
  /** Width of the two hidden layers of the box head. Default: 1024. */
  readonly fc_channels?: number
  /** Convolutions of RetinaNet's branches and of the mask head. Default: 4. */
  readonly stacked_convs?: number
  /** Anchors of the RPN: sides of scale times stride. Default: 8. RetinaNet has three scales from half of that on. */
  readonly anchor_scale?: number
  /** Anchors compared in the loss of the RPN. Default: 256, half of them objects. */
  readonly rpn_samples?: number
  /** Boxes compared in the loss of the box head. Default: 512, a quarter of them objects. */
  readonly roi_samples?: number
  /** Proposals of a level before suppression. Default: 2000. */
  readonly nms_pre?: number
  /** Proposals of a picture. Default: 1000. */
  readonly max_proposals?: number
  /** Detections of a picture. Default: 100. */
  readonly max_per_img?: number
  /** Detections of lower scores are left out. Default: 0.05. */
  readonly score_thr?: number
}

export type CompleteConfig = Required<DetectorConfig>

/** The configuration with its defaults. */
export function completeConfig(config: DetectorConfig): CompleteConfig {
  return {
    channels: 256,
    neck: 'involution',
    head: 'convolution',
    fc_channels: 1024,
    stacked_convs: 4,
    anchor_scale: 8,
    rpn_samples: 256,
    roi_samples: 512,
    nms_pre: 2000,
    max_proposals: 1000,
    max_per_img: 100,
    score_thr: 0.05,
    ...config,
  }
}

/** Proposals that overlap by more than that are one; so are detections of one class. */
export const [proposalIou, detectionIou] = [0.7, 0.5]
