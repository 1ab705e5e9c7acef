/** The settings of the recipe `detect`. */
import { z } from 'zod'
import { whole } from '../../../train/settings.ts'
import { networkSettings } from '../settings.ts'
import { type CompleteConfig, completeConfig, detectorKinds } from './config.ts'

const operators = ['involution', 'convolution'] as const

/** A backbone with the parts of a detector. Defaults are for small scenes; the published sizes are in the descriptions. */
export function detectorSettings() {
  return networkSettings({ layers: [1, 1, 1, 1], stem: 'standard', stem_channels: 32, base_channels: 16 })
    .omit({ stem: true })
    .extend({
      detector: z
        .enum(detectorKinds)
        .default('faster_rcnn')
        .describe('retinanet (one stage), faster_rcnn (boxes), mask_rcnn (boxes and masks)'),
      neck: z.enum(operators).default('involution').describe('at the outputs of the pyramid'),
      head: z
        .enum(operators)
        .default('convolution')
        .describe('in the RPN and the mask head (the paper has both; RetinaNet keeps convolutions)'),
      channels: whole.default(64).describe('of the pyramid and the heads (published: 256)'),
      fc_channels: whole.default(256).describe('width of the hidden layers of the box head (published: 1024)'),
      stacked_convs: whole
        .default(2)
        .describe("convolutions of RetinaNet's branches and of the mask head (published: 4)"),
      anchor_scale: z.number().positive().default(8).describe('side of an anchor of the RPN in elements of its level'),
      rpn_samples: whole.default(128).describe('anchors of a picture in the loss of the RPN (published: 256)'),
      roi_samples: whole.default(32).describe('boxes of a picture in the loss of the box head (published: 512)'),
      nms_pre: whole.default(200).describe('proposals of a level before suppression (published: 2000)'),
      max_proposals: whole.default(64).describe('proposals of a picture (published: 1000)'),
      max_per_img: whole.default(50).describe('detections of a picture (published: 100)'),
      score_thr: z.number().min(0).max(1).default(0.05).describe('detections of lower scores are left out'),
    })
}

export type DetectorSettings = z.infer<ReturnType<typeof detectorSettings>>

/** The configuration of a detector for so many categories. */
export function detectorConfig(settings: DetectorSettings, categories: number): CompleteConfig {
  const { detector, neck, head, channels, fc_channels, stacked_convs, anchor_scale } = settings
  const { rpn_samples, roi_samples, nms_pre, max_proposals, max_per_img, score_thr } = settings
  return completeConfig({
    kind: detector,
    num_classes: categories,
    neck,
    head,
    channels,
    fc_channels,
    stacked_convs,
    anchor_scale,
    rpn_samples,
    roi_samples,
    nms_pre,
    max_proposals,
    max_per_img,
    score_thr,
  })
}
