/** Region proposals (Ren et al. 2015, arXiv 1506.01497): the loss of the RPN, and what it proposes. */
import * as ops from '../../../ops/index.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { RPNHead } from '../heads.ts'
import { anchorsOf, decodeBoxes, deltaScales, encodeBoxes } from './anchors.ts'
import { assignBoxes, type Objects, sampleBoxes } from './assign.ts'
import { type AnchorConfig, assignRules, type CompleteConfig, proposalIou } from './config.ts'
import { before, bestRows, exampleOf, rowsAt, rowsOfMap } from './levels.ts'
import { countOf, l1OfRows, ones } from './losses.ts'

/** Strides of the levels that proposals are made on. */
const proposalStrides = [4, 8, 16, 32, 64]

/** What the RPN says of each anchor of each level. */
export interface Proposing {
  readonly anchors: readonly Tensor[]
  /** [N, A] each */
  readonly scores: readonly Tensor[]
  /** [N, A, 4] each */
  readonly deltas: readonly Tensor[]
}

function rpnAnchors({ anchor_scale }: Pick<CompleteConfig, 'anchor_scale'>): AnchorConfig {
  return { strides: proposalStrides, ratios: [0.5, 1, 2], scales: [anchor_scale] }
}

/** Runs the head on every level of the pyramid. */
export function propose(head: RPNHead, maps: readonly Tensor[], config: CompleteConfig): Proposing {
  const found = maps.map((map) => head.forward(map))
  return {
    anchors: anchorsOf(maps, rpnAnchors(config)),
    scores: found.map(({ scores }) => ops.squeeze(rowsOfMap(scores, 1), -1)),
    deltas: found.map(({ deltas }) => rowsOfMap(deltas, 4)),
  }
}

/** Binary cross-entropy and L1 over sampled anchors, both divided by how many there are. */
export function rpnLosses(
  proposing: Proposing,
  objects: readonly Objects[],
  { rpn_samples }: CompleteConfig,
): { readonly loss_rpn_cls: Tensor; readonly loss_rpn_bbox: Tensor } {
  const anchors = ops.concat([...proposing.anchors], 0)
  const [scores, deltas] = [ops.concat([...proposing.scores], 1), ops.concat([...proposing.deltas], 1)]
  const keys = ops.randomUniform(scores.shape)
  const parts = objects.map((own, i) => {
    const assigned = assignBoxes(anchors, own, assignRules.rpn)
    const sampled = sampleBoxes(assigned, exampleOf(keys, i), { num: rpn_samples, pos_fraction: 0.5 })
    const { index, positive, counts } = sampled
    const target = encodeBoxes(
      rowsAt(anchors, index),
      rowsAt(own.boxes, rowsAt(assigned.object, index)),
      deltaScales.proposals,
    )
    const losses = ops.bceWithLogits(rowsAt(exampleOf(scores, i), index), ones(positive), { reduction: 'none' })
    return {
      cls: ops.sum(ops.mul(losses, ones(counts))),
      bbox: l1OfRows(rowsAt(exampleOf(deltas, i), index), target, positive),
      samples: ops.add(countOf(positive), countOf(ops.logicalAnd(counts, ops.logicalNot(positive)))),
    }
  })
  const samples = ops.addAll(parts.map((part) => part.samples))
  return {
    loss_rpn_cls: ops.div(ops.addAll(parts.map(({ cls }) => cls)), samples),
    loss_rpn_bbox: ops.div(ops.addAll(parts.map(({ bbox }) => bbox)), samples),
  }
}

/** Boxes of one picture that may hold objects. */
export interface Proposals {
  /** [P, 4] */
  readonly boxes: Tensor
  /** bool [P]; the others are copies. */
  readonly exists: Tensor
}

/** The best boxes of one picture, of all levels, without those that overlap a better one of their level. No gradient. */
export function proposalsOf(
  { anchors, scores, deltas }: Proposing,
  example: number,
  picture: readonly [number, number],
  { nms_pre, max_proposals }: CompleteConfig,
): Proposals {
  const levels = anchors.map((own, level) => {
    const [all, differences] = [scores[level] as Tensor, deltas[level] as Tensor]
    const best = bestRows(ops.stopGradient(exampleOf(all, example)), nms_pre)
    const moved = rowsAt(ops.stopGradient(exampleOf(differences, example)), best.places)
    return { scores: best.scores, boxes: decodeBoxes(rowsAt(own, best.places), moved, deltaScales.proposals, picture) }
  })
  const boxes = ops.concat(
    levels.map((level) => level.boxes),
    0,
  )
  const classes = ops.concat(
    levels.map((level, i) => ops.full([level.boxes.shape[0] ?? 0], i, 'int64')),
    0,
  )
  const most = Math.min(max_proposals, boxes.shape[0] ?? 0)
  const kept = ops.nms(
    boxes,
    ops.concat(
      levels.map((level) => level.scores),
      0,
    ),
    {
      iouThreshold: proposalIou,
      maxDetections: most,
      classes,
    },
  )
  return { boxes: rowsAt(boxes, kept.indices), exists: before(kept.count, most) }
}
