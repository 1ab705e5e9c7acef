import * as ops from '../../../../src/ops/kit.ts'

// Points away from pixel centres and borders, where sampling has kinks.
const grid = { shape: [1, 1, 3, 2], values: [-0.37, 0.21, 0.13, -0.58, 0.64, 0.3] }

const volumeGrid = { shape: [1, 1, 1, 2, 3], values: [-0.37, 0.21, 0.13, -0.58, 0.63, 0.29] }

export const samples: Record<string, ops.Sample[]> = {
  interpolate: [
    { inputs: [[1, 2, 4, 5]], call: (x) => ops.interpolate(x, [7, 3]) },
    { inputs: [[1, 2, 2, 3]], call: (x) => ops.interpolate(x, [4, 9], { mode: 'nearest-exact' }) },
    { inputs: [[1, 2, 4, 5]], call: (x) => ops.interpolate(x, [7, 3], { mode: 'bilinear', alignCorners: true }) },
    { inputs: [[1, 2, 6, 5]], call: (x) => ops.interpolate(x, [3, 8], { mode: 'bicubic', antialias: true }) },
    { inputs: [[2, 1, 5]], call: (x) => ops.interpolate(x, 3, { mode: 'area' }) },
    { inputs: [[1, 1, 2, 3, 4]], call: (x) => ops.interpolate(x, [3, 3, 2], { mode: 'trilinear' }) },
    { inputs: [[1, 1, 2, 3, 2]], call: (x) => ops.interpolate(x, [4, 3, 5]) },
    { inputs: [[2, 1, 5]], call: (x) => ops.interpolate(x, undefined, { mode: 'linear', scaleFactor: 1.5 }) },
    { inputs: [[1, 1, 5, 4]], call: (x) => ops.interpolate(x, undefined, { scaleFactor: [1.7, 0.6] }) },
    {
      inputs: [[1, 1, 5, 4]],
      call: (x) =>
        ops.interpolate(x, undefined, { mode: 'bicubic', scaleFactor: [1.7, 0.6], recomputeScaleFactor: true }),
    },
  ],
  affineGrid: [
    { inputs: [[2, 2, 3]], call: (theta) => ops.affineGrid(theta, [2, 1, 3, 4], { alignCorners: true }) },
    { inputs: [[2, 3, 4]], call: (theta) => ops.affineGrid(theta, [2, 1, 2, 3, 2]) },
  ],
  gridSample: [
    { inputs: [[1, 2, 4, 5], grid], call: (x, points) => ops.gridSample(x, points) },
    {
      inputs: [[1, 2, 4, 5], grid],
      call: (x, points) =>
        ops.gridSample(x, points, { mode: 'bicubic', paddingMode: 'reflection', alignCorners: true }),
    },
    {
      inputs: [[1, 2, 4, 5], grid],
      call: (x, points) => ops.gridSample(x, points, { mode: 'nearest', paddingMode: 'border' }),
      smooth: false,
    },
    { inputs: [[1, 2, 3, 4, 5], volumeGrid], call: (x, points) => ops.gridSample(x, points) },
    {
      inputs: [[1, 2, 3, 4, 5], volumeGrid],
      call: (x, points) => ops.gridSample(x, points, { paddingMode: 'reflection', alignCorners: true }),
    },
  ],
}

export const errors: Record<string, ops.Sample> = {
  'interpolate: the size must have one whole number for each axis after [N, C], found size [3, 3] for [1, 2, 5]': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, [3, 3]),
  },
  'interpolate: needs either a size or a scaleFactor, found none of them': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, undefined),
  },
  'interpolate: needs either a size or a scaleFactor, found both': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, 3, { scaleFactor: 2 }),
  },
  'interpolate: alignCorners is for linear and bicubic modes, found mode nearest': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, 3, { alignCorners: true }),
  },
  'interpolate: antialias is for linear and bicubic modes, found mode area': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, 3, { mode: 'area', antialias: true }),
  },
  'interpolate: the scaleFactor must have one number above 0 for each axis after [N, C], found scaleFactor 0 for [1, 2, 5]':
    {
      inputs: [[1, 2, 5]],
      call: (x) => ops.interpolate(x, undefined, { scaleFactor: 0 }),
    },
  'gridSample: mode "bicubic" is for pictures, found volumes': {
    inputs: [[1, 1, 2, 2, 2], volumeGrid],
    call: (x, points) => ops.gridSample(x, points, { mode: 'bicubic' }),
  },
  'interpolate: scaleFactor [0.1] leaves nothing of [1, 2, 5], sizes would be [0]': {
    inputs: [[1, 2, 5]],
    call: (x) => ops.interpolate(x, undefined, { scaleFactor: 0.1 }),
  },
}
