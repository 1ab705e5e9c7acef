import * as ops from '../../../../src/ops/kit.ts'

/** Boxes that overlap, none with an edge where another has one: there the gradient has kinks. */
const boxes = (...values: number[]): ops.SampleInput => ({ shape: [values.length / 4, 4], values })
const first = boxes(0, 0, 4, 3, 1.5, 0.5, 2.5, 6)
const second = boxes(-1, 1, 3.1, 2.2, 1.1, -0.7, 5, 5, 7, 7, 8, 9)

export const samples: Record<string, ops.Sample[]> = {
  boxArea: [{ inputs: [first], call: (x) => ops.boxArea(x) }],
  boxConvert: [
    { inputs: [[2, 3, 4]], call: (x) => ops.boxConvert(x, 'xyxy', 'cxcywh') },
    { inputs: [[4]], call: (x) => ops.boxConvert(x, 'cxcywh', 'xywh') },
  ],
  boxIou: [{ inputs: [first, second], call: (a, b) => ops.boxIou(a, b) }],
  clipBoxes: [{ inputs: [second], call: (x) => ops.clipBoxes(x, [4, 6]) }],
  generalizedBoxIou: [{ inputs: [first, second], call: (a, b) => ops.generalizedBoxIou(a, b) }],
  nms: [
    {
      inputs: [{ shape: [3], values: [0.5, 0.75, 0.25] }],
      call: (scores) => {
        const [around, classes] = [ops.full([3, 4], 0), ops.arange(3)]
        const { indices, count } = ops.nms(around, scores, { iouThreshold: 0.5, classes })
        return [indices, count]
      },
      smooth: false,
    },
  ],
  roiAlign: [
    {
      inputs: [[1, 2, 4, 5]],
      call: (x) => ops.roiAlign(x, [ops.reshape(ops.linspace(0, 4, 8), [2, 4])], 2),
    },
  ],
  roiAlignInputGradient: [
    {
      inputs: [[2, 2, 2, 3]],
      call: (g) =>
        ops.roiAlignInputGradient(
          g,
          ops.reshape(ops.linspace(0, 5, 8), [2, 4]),
          ops.full([2], 0, 'int64'),
          [1, 2, 4, 5],
          { outputSize: [2, 3], spatialScale: 1, samplingRatio: 0, aligned: true },
        ),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'boxIou: the second boxes must be [N, 4], found [3, 2]': {
    inputs: [
      [2, 4],
      [3, 2],
    ],
    call: (a, b) => ops.boxIou(a, b),
  },
  'nms: classes must be [3], found [2]': {
    inputs: [[3, 4], [3]],
    call: (a, b) => ops.nms(a, b, { iouThreshold: 0.5, classes: ops.arange(2) }).count,
  },
  "roiAlign: the boxes must be [K, 5], the example's number before the corners, found [3, 4]": {
    inputs: [
      [1, 2, 4, 4],
      [3, 4],
    ],
    call: (x, b) => ops.roiAlign(x, b, 2),
  },
  'roiAlign: a list of boxes must have [K, 4] for each example, found [3, 5]': {
    inputs: [
      [1, 2, 4, 4],
      [3, 5],
    ],
    call: (x, b) => ops.roiAlign(x, [b], 2),
  },
}
