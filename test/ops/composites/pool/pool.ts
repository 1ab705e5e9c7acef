import * as ops from '../../../../src/ops/kit.ts'

/** Values without near-ties, where a maximum is not differentiable. */
function distinct(...shape: number[]): ops.SampleInput {
  const count = shape.reduce((product, size) => product * size, 1)
  return { shape, values: Array.from({ length: count }, (_, i) => 0.1 * ((37 * i) % count) - 0.05 * count) }
}

export const samples: Record<string, ops.Sample[]> = {
  maxPool1d: [
    {
      inputs: [distinct(2, 2, 7)],
      call: (x) => ops.maxPool1d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
      smooth: false,
    },
  ],
  maxPool2d: [
    { inputs: [distinct(1, 2, 5, 4)], call: (x) => ops.maxPool2d(x, 2, { dilation: 2, stride: 1 }), smooth: false },
  ],
  avgPool1d: [{ inputs: [[2, 2, 7]], call: (x) => ops.avgPool1d(x, 3, { divisorOverride: 2 }) }],
  avgPool2d: [
    { inputs: [[1, 2, 5, 6]], call: (x) => ops.avgPool2d(x, [3, 2], { stride: 2, padding: 1, ceilMode: true }) },
    { inputs: [[1, 1, 5, 5]], call: (x) => ops.avgPool2d(x, 3, { padding: 1, countIncludePad: false }) },
  ],
  maxPool3d: [
    {
      inputs: [distinct(1, 2, 3, 5, 4)],
      call: (x) => ops.maxPool3d(x, [2, 3, 2], { stride: [1, 2, 2], padding: [0, 1, 1], ceilMode: true }),
      smooth: false,
    },
  ],
  avgPool3d: [
    {
      inputs: [[1, 2, 3, 5, 4]],
      call: (x) => ops.avgPool3d(x, [2, 3, 2], { stride: [1, 2, 2], padding: [0, 1, 1], ceilMode: true }),
    },
  ],
  adaptiveAvgPool1d: [{ inputs: [[2, 2, 7]], call: (x) => ops.adaptiveAvgPool1d(x, 3) }],
  adaptiveAvgPool3d: [{ inputs: [[1, 2, 3, 5, 4]], call: (x) => ops.adaptiveAvgPool3d(x, [2, null, 3]) }],
  adaptiveMaxPool1d: [{ inputs: [distinct(2, 2, 7)], call: (x) => ops.adaptiveMaxPool1d(x, 3), smooth: false }],
  adaptiveMaxPool3d: [
    { inputs: [distinct(1, 2, 3, 5, 4)], call: (x) => ops.adaptiveMaxPool3d(x, [2, 3, null]), smooth: false },
  ],
  adaptiveAvgPool2d: [{ inputs: [[2, 2, 5, 7]], call: (x) => ops.adaptiveAvgPool2d(x, [2, null]) }],
  adaptiveMaxPool2d: [{ inputs: [distinct(2, 2, 5, 7)], call: (x) => ops.adaptiveMaxPool2d(x, [2, 3]), smooth: false }],
  kernelWindows: [{ inputs: [[1, 2, 5]], call: (x) => ops.kernelWindows(x, [2], [2], { stride: [3], dilation: [1] }) }],
  windowColumns: [
    {
      inputs: [[1, 2, 4, 5]],
      call: (x) => ops.windowColumns(x, 2, [2, 3], [2, 2], { stride: [1, 2], dilation: [2, 1] }),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'maxPool2d: the window [3, 3] is larger than the padded input [1, 1, 2, 2]': {
    inputs: [[1, 1, 2, 2]],
    call: (x) => ops.maxPool2d(x, 3),
  },
  'adaptiveMaxPool3d: the input must be [N, C, D, H, W] with at least one pixel, found [1, 1, 2, 2]': {
    inputs: [[1, 1, 2, 2]],
    call: (x) => ops.adaptiveMaxPool3d(x, 3),
  },
}
