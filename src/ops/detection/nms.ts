/** Non-maximum suppression in the graph, where shapes are fixed: as many indices as may be kept, and how many of them are. */
import { elementCount } from '../../tensor/dtype.ts'
import { formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { optionsOf, requireCount, requireNumber } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  applyAll,
  checked,
  constantOf,
  defineOp,
  emitConstants,
  inputAt,
  isTensorLike,
  type Operand,
  requireDType,
  toFloat,
  toTensor,
} from '../define.ts'
import { add, mul } from '../elementwise/binary.ts'
import { cast } from '../elementwise/choice.ts'
import { unsqueeze } from '../movement/movement.ts'
import { max } from '../reduction/reduce.ts'
import { requireBoxes, requireThreshold } from './boxes.ts'

interface NmsAttributes {
  readonly iouThreshold: number
  readonly scoreThreshold: number | null
  readonly maxDetections: number
}

function requireScores(boxes: TensorType, scores: TensorType): void {
  const wanted = [sizeOf(boxes.shape, 0)]
  if (!sameShape(scores.shape, wanted))
    throw new ShapeError(
      `nms: scores must be ${formatShape(wanted)}, one for each box, found ${formatShape(scores.shape)}`,
    )
}

const sampleBoxes = constantOf(Float32Array.of(0, 0, 4, 4, 1, 0, 5, 4, 6, 6, 9, 8, 0, 0.5, 4, 4), [4, 4])

/** Inputs: boxes [N, 4], scores [N]. Outputs: indices int64 [maxDetections], their count int64 []. */
export const nmsOp = defineOp<NmsAttributes>({
  name: 'nms',
  bounds: ({ inputs, attributes }) => [
    Math.max(1, sizeOf(inputAt('nms', inputs, 0).shape, 0)),
    attributes.maxDetections + 1,
  ],
  infer: (inputs, { maxDetections }) => {
    const [boxes, scores] = [inputAt('nms', inputs, 0), inputAt('nms', inputs, 1)]
    requireDType('nms', 'boxes', boxes, ['float32'])
    requireDType('nms', 'scores', scores, ['float32'])
    requireBoxes('nms', 'boxes', boxes, 2)
    requireScores(boxes, scores)
    return [
      { dtype: 'int64', shape: [maxDetections] },
      { dtype: 'int64', shape: [] },
    ]
  },
  lower: (emit, { inputs: [boxes = '', scores = ''], inputTypes, outputTypes, attributes }) => {
    const { iouThreshold, scoreThreshold, maxDetections } = attributes
    if (elementCount(inputAt('nms', inputTypes, 1).shape) === 0) return emitConstants(emit, outputTypes)
    const found = emit.node('NonMaxSuppression', [
      emit.node('Unsqueeze', [boxes, emit.ints([0])]),
      emit.node('Unsqueeze', [scores, emit.ints([0, 1])]),
      emit.ints([maxDetections]),
      emit.constant('float32', [1], Float32Array.of(iouThreshold)),
      ...(scoreThreshold === null ? [] : [emit.constant('float32', [1], Float32Array.of(scoreThreshold))]),
    ]) // [kept, 3]: example, class, box
    const indices = emit.node('Gather', [found, emit.scalar(2, 'int64')], { axis: 1 })
    const rest = emit.node('Expand', [emit.scalar(0, 'int64'), emit.ints([maxDetections])])
    const ends = [emit.ints([0]), emit.ints([maxDetections])]
    return [
      emit.node('Slice', [emit.node('Concat', [indices, rest], { axis: 0 }), ...ends]),
      emit.node('Gather', [emit.node('Shape', [found]), emit.scalar(0, 'int64')], { axis: 0 }),
    ]
  },
  samples: () => [
    {
      inputs: [{ shape: [4], values: [0.5, 0.75, 0.25, 0.625] }],
      call: (scores) => suppressed(sampleBoxes, scores, { iouThreshold: 0.5 }),
    },
    {
      inputs: [{ shape: [4], values: [0.5, 0.75, 0.25, 0.625] }],
      call: (scores) => suppressed(sampleBoxes, scores, { iouThreshold: 0.9, scoreThreshold: 0.4, maxDetections: 2 }),
    },
  ],
  errors: () => [
    { inputs: [[3, 5], [3]], call: (boxes, scores) => suppressed(boxes, scores, { iouThreshold: 0.5 }) },
    { inputs: [[3, 4], [4]], call: (boxes, scores) => suppressed(boxes, scores, { iouThreshold: 0.5 }) },
    { inputs: [[3, 4], [3]], call: (boxes, scores) => suppressed(boxes, scores, { iouThreshold: 2 }) },
    {
      inputs: [[3, 4], [3]],
      call: (boxes, scores) => suppressed(boxes, scores, { iouThreshold: 0.5, maxDetections: 0 }),
    },
  ],
})

/** Options of non-maximum suppression. */
export interface NmsOptions {
  /** A box is left out where its intersection over union with a kept one of a higher score is above this. */
  readonly iouThreshold: number
  /** Boxes whose score is not above this are left out. Default: none. */
  readonly scoreThreshold?: number
  /** The length of the result; boxes of lower scores beyond it are left out. Default: as many as there are boxes, of none 1. */
  readonly maxDetections?: number
  /** Whole numbers [N]: boxes of different classes never suppress each other. Default: one class. */
  readonly classes?: Operand
}

/** What is kept. */
export interface Kept {
  /** int64 [maxDetections]: the kept boxes, of the highest score first; 0 from place `count` on. */
  readonly indices: Tensor
  /** int64 []: how many are kept. */
  readonly count: Tensor
}

function suppressed(boxes: Operand, scores: Operand, options: NmsOptions): readonly Tensor[] {
  const [given, order] = [toFloat('nms', boxes, 'boxes'), toFloat('nms', scores, 'scores')]
  const {
    iouThreshold = Number.NaN,
    scoreThreshold,
    classes,
    maxDetections = Math.max(1, given.shape[0] ?? 1),
  } = optionsOf('nms', options, { iouThreshold: true, scoreThreshold: true, maxDetections: true, classes: true })
  return checked(() => {
    requireThreshold('nms', iouThreshold)
    requireBoxes('nms', 'boxes', given, 2)
    requireScores(given, order)
    requireCount('nms', 'maxDetections', maxDetections, 1)
    if (scoreThreshold !== undefined) requireNumber('nms', 'scoreThreshold', scoreThreshold)
    const apart = classes === undefined ? given : byClass(given, classes)
    return applyAll(nmsOp, [apart, order], { iouThreshold, scoreThreshold: scoreThreshold ?? null, maxDetections })
  })
}

/** Boxes moved so that those of different classes do not meet, as torchvision's `batched_nms` does. */
function byClass(boxes: Tensor, classes: Operand): Tensor {
  const given = toTensor('nms', classes)
  if (!isTensorLike(classes) || (given.dtype !== 'int64' && given.dtype !== 'int32'))
    throw new ShapeError(`nms: classes must be int64 or int32, found ${given.dtype}`)
  if (!sameShape(given.shape, [sizeOf(boxes.shape, 0)]))
    throw new ShapeError(`nms: classes must be [${sizeOf(boxes.shape, 0)}], found ${formatShape(given.shape)}`)
  if (elementCount(given.shape) === 0) return boxes
  const offsets = mul(cast(given, 'float32'), add(max(boxes), 1))
  return add(boxes, unsqueeze(offsets, 1))
}

/**
 * Non-maximum suppression of boxes [N, 4] (corners) by scores [N]: of boxes that overlap the one of the highest score is kept,
 * the first of equal ones. Shapes are fixed in a graph: the result has `maxDetections` places. For as many indices as there are:
 * `keptBoxes` of 'tenfold/data'.
 */
export function nms(boxes: Operand, scores: Operand, options: NmsOptions): Kept {
  const [indices, count] = suppressed(boxes, scores, options)
  return { indices: indices as Tensor, count: count as Tensor }
}
