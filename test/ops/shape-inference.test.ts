/** For random valid arguments, the shapes and dtypes that each op infers are those the runtime returns. */
import { describe, expect, test } from 'vitest'
import { unmaskedAttention } from '../../src/ops/attention/kernel.ts'
import * as ops from '../../src/ops/kit.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { randomNumbers } from '../support/gradients.ts'
import { checkForms } from '../support/samples.ts'

/** Random arguments. */
class Draw {
  readonly #random: () => number
  constructor(seed: number) {
    this.#random = randomNumbers(seed)
  }
  /** low to high, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }
  coin(): boolean {
    return this.#random() < 0.5
  }
  shape(leastRank = 0, mostRank = 4): number[] {
    return Array.from({ length: this.whole(leastRank, mostRank) }, () => this.whole(1, 4))
  }
  /** Counted from the front or from the end. */
  axis(rank: number): number {
    return this.whole(-rank, rank - 1)
  }
  /** Some distinct axes. */
  axes(rank: number): number[] {
    return Array.from({ length: rank }, (_, i) => (this.coin() ? i : i - rank)).filter(() => this.coin())
  }
  /** A shape that broadcasts with `shape`. */
  partner(shape: readonly number[]): number[] {
    return shape.slice(this.whole(0, shape.length)).map((size) => (this.coin() ? size : 1))
  }
  permutation(length: number): number[] {
    const rest = Array.from({ length }, (_, i) => i)
    return Array.from({ length }, () => rest.splice(this.whole(0, rest.length - 1), 1)[0] ?? 0)
  }
}

type Generator = (draw: Draw) => ops.Sample

const input = (shape: readonly number[], like: ops.SampleInput | undefined): ops.SampleInput => {
  const { dtype, range } = like !== undefined && 'shape' in like ? like : { dtype: undefined, range: undefined }
  return { shape, ...(dtype && { dtype }), ...(range && { range }) }
}

/** Sizes that fit: some of them for products of band matrices, some for passes over the input. */
function drawInvolution(draw: Draw) {
  const [batch, groups, inGroup] = [draw.whole(1, 2), draw.whole(1, 2), draw.whole(1, 5)]
  const pair = (low: number, high: number) => [draw.whole(low, high), draw.whole(low, high)] as const
  const [size, kernel, stride, padding] = [pair(9, 12), pair(1, 6), pair(1, 3), pair(0, 3)]
  const dilation = draw.coin() ? ([1, 1] as const) : pair(1, 2)
  const count = (axis: 0 | 1): number =>
    Math.floor((size[axis] + 2 * padding[axis] - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) + 1
  const fits = count(0) > 0 && count(1) > 0
  const shapes = {
    x: [batch, groups * inGroup, ...size],
    weight: fits ? [batch, groups, ...kernel, count(0), count(1)] : [batch, groups, 1, 1, ...size],
  }
  const plain = { stride: [1, 1], padding: [0, 0], dilation: [1, 1] } as const
  return { shapes, options: fits ? { stride, padding, dilation } : plain }
}

const indices = (draw: Draw, shape: readonly number[], below: number): ops.SampleInput => ({
  shape,
  dtype: 'int64',
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.whole(0, below - 1)),
})

/** Elementwise ops and others that take any shape: drawn from what their own first sample shows. */
function elementwise(op: ops.OpDefinition): Generator | undefined {
  const [first] = op.samples()
  const call = first?.call
  if (!first || !call) return undefined
  if (first.inputs.length === 1) return (draw) => ({ inputs: [input(draw.shape(), first.inputs[0])], call })
  return (draw) => {
    const shape = draw.shape()
    const [a, b] = draw.coin() ? [shape, draw.partner(shape)] : [draw.partner(shape), shape]
    return { inputs: [input(a, first.inputs[0]), input(b, first.inputs[1])], call }
  }
}

const anyShape = new Set(
  `abs acos acosh add alias asin asinh atan2 atan atanh bitwiseAnd bitwiseLeftShift bitwiseNot bitwiseOr bitwiseRightShift bitwiseXor cast ceil clip cos cosh digamma div equal erf erfc
  erfcx erfinv exp expm1 floor fmod gelu
  greater greaterOrEqual hardsigmoid i0 i0e i1 i1e isInf isNan leakyRelu less lessOrEqual lgamma log1p log logNdtr logicalAnd logicalNot logicalOr logicalXor maximum minimum mul ndtr ndtri neg polygamma pow
  reciprocal relu round runAfter sigmoid sign sin sinh sqrt stopGradient sub sumOverRanks swish tan tanh unitStep withBackward`.split(
    /\s+/,
  ),
)

const reduction =
  (call: (x: Tensor, axes: readonly number[], options: { keepDims: boolean }) => Tensor): Generator =>
  (draw) => {
    const shape = draw.shape()
    const [axes, keepDims] = [draw.axes(shape.length), draw.coin()]
    return { inputs: [{ shape, range: [0.5, 2] }], call: (x) => call(x, axes, { keepDims }) }
  }

const alongAxis =
  (call: (x: Tensor, axis: number, draw: Draw) => Tensor | readonly Tensor[]): Generator =>
  (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    return { inputs: [shape], call: (x) => call(x, axis, new Draw(shape.length)) }
  }

/** Far from singular: 4 is added to the diagonal of numbers within 1. */
function regular(a: Tensor): Tensor {
  return ops.add(a, ops.mul(ops.eye(a.shape.at(-1) ?? 0), 4))
}

const matrices =
  (call: (a: Tensor, b: Tensor, coin: boolean) => Tensor | readonly Tensor[]): Generator =>
  (draw) => {
    const [batch, n, coin] = [draw.shape(0, 2), draw.whole(1, 4), draw.coin()]
    const inputs = [
      [...batch, n, n],
      [...draw.partner(batch), n, draw.whole(1, 3)],
    ]
    return { inputs, call: (a, b) => call(a, b, coin) }
  }

const generators: Record<string, Generator> = {
  solve: matrices((a, b) => ops.solve(regular(a), b)),
  solveTriangular: matrices((a, b, upper) => ops.solveTriangular(regular(a), b, { upper })),
  inverse: matrices((a) => ops.inverse(regular(a))),
  slogdet: matrices((a) => ops.slogdet(regular(a))),
  cholesky: matrices((a) => ops.cholesky(regular(ops.matmul(a, ops.transpose(a))))),
  latticeSum: (draw) => {
    const shape = [draw.whole(1, 5), draw.whole(1, 3), draw.whole(1, 5)]
    return { inputs: [shape, shape, shape, shape], call: (...inputs) => ops.apply(ops.latticeSumOp, inputs, {}) }
  },
  pathScores: (draw) => {
    const [steps, examples, states] = [draw.whole(1, 5), draw.whole(1, 3), draw.whole(1, 2)]
    const inputs: ops.SampleInput[] = [[steps, examples, states], { shape: [examples, states], dtype: 'bool' }]
    return { inputs, call: (e, skip) => ops.pathScores(e, skip) }
  },
  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  min: reduction(ops.min),
  varMean: reduction((x, axes, options) => ops.std(x, axes, { ...options, correction: 0 })),
  argmax: alongAxis((x, axis) => ops.argmax(x, axis, { keepDims: true })),
  argmin: alongAxis((x, axis) => ops.argmin(x, axis)),
  cumsum: alongAxis((x, axis) => ops.cumsum(x, axis)),
  softmax: alongAxis((x, axis) => ops.softmax(x, axis)),
  logSoftmax: alongAxis((x, axis) => ops.logSoftmax(x, axis)),
  topk: alongAxis((x, axis) => ops.topk(x, 1, axis)),
  split: alongAxis((x, axis) => ops.chunk(x, 2, axis)),
  where: (draw) => {
    const shape = draw.shape()
    const inputs = [{ shape: draw.partner(shape), dtype: 'bool' as const }, shape, draw.partner(shape)]
    return { inputs, call: (c, a, b) => ops.where(c, a, b) }
  },
  reshape: (draw) => {
    const shape = draw.shape(1)
    return { inputs: [shape], call: (x) => ops.reshape(x, [shape.at(-1) ?? 1, -1]) }
  },
  permute: (draw) => {
    const shape = draw.shape()
    const axes = draw.permutation(shape.length)
    return { inputs: [shape], call: (x) => ops.permute(x, axes) }
  },
  expand: (draw) => {
    const shape = draw.shape()
    const narrow = draw.partner(shape)
    return { inputs: [narrow], call: (x) => ops.expand(x, shape) }
  },
  slice: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    const range: ops.Range = [
      draw.whole(-5, 5),
      draw.coin() ? null : draw.whole(-5, 5),
      draw.coin() ? draw.whole(1, 3) : -draw.whole(1, 3),
    ]
    return { inputs: [shape], call: (x) => ops.slice(x, range, axis) }
  },
  padConstant: (draw) => {
    const shape = draw.shape(1)
    const [axis, before, after] = [draw.axis(shape.length), draw.whole(0, 3), draw.whole(0, 3)]
    return { inputs: [shape], call: (x) => ops.padAxis(x, axis, before, after, 1) }
  },
  padReflect: (draw) => {
    const shape = draw.shape(1).map((size) => size + 1)
    const most = (shape.at(-1) ?? 1) - 1
    const amounts = [draw.whole(1, most), draw.whole(0, most)]
    return { inputs: [shape], call: (x) => ops.pad(x, amounts, { mode: 'reflect' }) }
  },
  concat: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    const at = axis < 0 ? axis + shape.length : axis
    const shapes = Array.from({ length: draw.whole(1, 3) }, () =>
      shape.map((size, i) => (i === at ? draw.whole(1, 3) : size)),
    )
    return { inputs: shapes, call: (...xs) => ops.concat(xs, axis) }
  },
  indexSelect: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    return {
      inputs: [shape, indices(draw, draw.shape(0, 2), shape.at(axis) ?? 1)],
      call: (x, index) => ops.indexSelect(x, index, axis),
    }
  },
  gather: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    const at = axis < 0 ? axis + shape.length : axis
    const index = shape.map((size, i) => (i === at ? draw.whole(1, 5) : draw.whole(1, size)))
    return { inputs: [shape, indices(draw, index, shape[at] ?? 1)], call: (x, places) => ops.gather(x, places, axis) }
  },
  scatterAdd: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    const index = shape.map((size) => draw.whole(1, size))
    return {
      inputs: [shape, indices(draw, index, shape.at(axis) ?? 1), index],
      call: (x, places, source) => ops.scatterAdd(x, places, source, axis),
    }
  },
  scatter: (draw) => {
    const shape = draw.shape(1)
    const axis = draw.axis(shape.length)
    const index = shape.map(() => 1)
    return {
      inputs: [shape, indices(draw, index, shape.at(axis) ?? 1), index],
      call: (x, places, source) => ops.scatter(x, places, source, axis),
    }
  },
  ...Object.fromEntries(
    (['Max', 'Min', 'Prod'] as const).map((kind): [string, Generator] => [
      `scatter${kind}`,
      (draw) => {
        const shape = draw.shape(1)
        const axis = draw.axis(shape.length)
        const index = shape.map((size) => draw.whole(1, size))
        const reduce = kind === 'Prod' ? 'prod' : kind === 'Max' ? 'amax' : 'amin'
        return {
          inputs: [shape, indices(draw, index, shape.at(axis) ?? 1), index],
          call: (x, places, source) => ops.scatterReduce(x, places, source, axis, reduce),
        }
      },
    ]),
  ),
  segmentSum: (draw) => {
    const [count, rows, width] = [draw.whole(1, 5), draw.whole(1, 4), draw.whole(1, 3)]
    return {
      inputs: [[rows, count], indices(draw, [width], rows)],
      call: (table, index) => ops.sum(ops.indexSelect(table, index, 0)),
    }
  },
  matmul: (draw) => {
    const [m, k, n] = [draw.whole(1, 4), draw.whole(1, 4), draw.whole(1, 4)]
    const [transposeA, transposeB] = [draw.coin(), draw.coin()]
    const batch = draw.shape(0, 2)
    const a = [...batch, ...(transposeA ? [k, m] : [m, k])]
    const b = [...draw.partner(batch), ...(transposeB ? [n, k] : [k, n])]
    return { inputs: [a, b], call: (x, y) => ops.matmulWith(x, y, { transposeA, transposeB, scale: 0.5 }) }
  },
  addmm: (draw) => {
    const [m, k, n] = [draw.whole(1, 4), draw.whole(1, 4), draw.whole(1, 4)]
    return {
      inputs: [draw.partner([m, n]), [m, k], [k, n]],
      call: (c, a, b) => ops.addmm(c, a, b, { alpha: 2, beta: 0.5 }),
    }
  },
  attention: (draw) => {
    const [queries, keys, inner, width] = [draw.whole(1, 4), draw.whole(1, 4), draw.whole(1, 3), draw.whole(1, 3)]
    const [leading, both] = [draw.shape(0, 2), draw.coin()]
    return {
      inputs: [
        [...leading, queries, inner],
        [...leading, keys, inner],
        [...leading, keys, width],
      ],
      call: (q, k, v) => unmaskedAttention(q, k, v, 0.5).slice(0, both ? 2 : 1),
    }
  },
  conv: (draw) => {
    const [groups, kernel] = [draw.whole(1, 2), [draw.whole(1, 3), draw.whole(1, 3)]]
    const options = { groups, stride: draw.whole(1, 2), padding: draw.whole(0, 2), dilation: draw.whole(1, 2) }
    const inputs = [
      [draw.whole(1, 2), 2 * groups, draw.whole(5, 7), draw.whole(5, 7)],
      [groups * draw.whole(1, 2), 2, ...kernel],
    ]
    return { inputs, call: (x, w) => ops.conv2d(x, w, undefined, options) }
  },
  convTranspose: (draw) => {
    const [groups, stride, dilation] = [draw.whole(1, 2), draw.whole(1, 3), draw.whole(1, 2)]
    const outputPadding = draw.whole(0, Math.max(stride, dilation) - 1)
    const options = { groups, stride, dilation, outputPadding, padding: draw.whole(0, 1) }
    const inputs = [
      [draw.whole(1, 2), 2 * groups, draw.whole(3, 5), draw.whole(3, 5)],
      [2 * groups, draw.whole(1, 2), draw.whole(2, 3), draw.whole(2, 3)],
    ]
    return { inputs, call: (x, w) => ops.convTranspose2d(x, w, undefined, options) }
  },
  repeatElements: (draw) => {
    const factors = Array.from({ length: draw.whole(1, 3) }, () => draw.whole(1, 3))
    const input = [draw.whole(1, 2), draw.whole(1, 2), ...factors.map(() => draw.whole(1, 3))]
    return { inputs: [input], call: (x) => ops.apply(ops.repeatElementsOp, [x], { factors }) }
  },
  enlargedConv: (draw) => {
    const [n, inner, out] = [draw.whole(1, 2), draw.whole(1, 3), draw.whole(1, 3)]
    const [factors, kernel] = [0, 1].map(() => [draw.whole(1, 3), draw.whole(1, 3)]) as [number[], number[]]
    const [before, after] = [0, 1].map(() => kernel.map((size) => draw.whole(0, size - 1)))
    const inputs = [
      [n, inner, draw.whole(3, 4), draw.whole(3, 4)],
      [out, inner, ...kernel],
    ]
    const attributes = { factors, before: before ?? [], after: after ?? [] }
    return { inputs, call: (x, w) => ops.apply(ops.enlargedConvOp, [x, w], attributes) }
  },
  weightConvolution: (draw) => {
    const [n, inner, out, kernel] = [draw.whole(1, 3), draw.whole(1, 4), draw.whole(1, 4), draw.whole(1, 3)]
    const [stride, dilation, rows] = [draw.whole(1, 3), draw.whole(1, 2), draw.whole(2, 4)]
    // Rows as many as the windows fill, along the last axis as wide.
    const before = draw.whole(0, kernel - 1)
    const sizes = [dilation, 1].map((apart) => apart * (kernel - 1) + stride * (rows - 1) + 1 - before)
    const attributes = { stride: [stride, stride], before: [before, before], after: [0, 0], dilation: [dilation, 1] }
    const call = (x: Tensor, g: Tensor): Tensor =>
      ops.apply(ops.weightConvolutionOp, [x, g], { ...attributes, groups: 1, weight: [out, inner, kernel, kernel] })
    return {
      inputs: [
        [n, inner, ...sizes],
        [n, out, rows, rows],
      ],
      call,
    }
  },
  nms: (draw) => {
    const [count, options] = [draw.whole(1, 5), { iouThreshold: 0.5, maxDetections: draw.whole(1, 4) }]
    const call = (boxes: Tensor, scores: Tensor): Tensor[] => Object.values(ops.nms(boxes, scores, options))
    return { inputs: [[count, 4], [count]], call }
  },
  roiAlign: (draw) => {
    const [batch, count, rows] = [draw.whole(1, 2), draw.whole(1, 3), draw.whole(1, 3)]
    const options = { samplingRatio: draw.whole(-1, 2), aligned: draw.coin(), spatialScale: draw.whole(1, 2) }
    const call = (x: Tensor, corners: Tensor): Tensor =>
      ops.roiAlign(x, ops.concat([ops.zeros([count, 1]), corners], 1), [rows, 2], options)
    return {
      inputs: [
        [batch, draw.whole(1, 3), 4, 5],
        [count, 4],
      ],
      call,
    }
  },
  involution: (draw) => {
    const { shapes, options } = drawInvolution(draw)
    return { inputs: [shapes.x, shapes.weight], call: (x, weight) => ops.involution(x, weight, options) }
  },
  involutionWeightGradient: (draw) => {
    const { shapes, options } = drawInvolution(draw)
    const { stride, padding, dilation } = options
    const attributes = { stride, before: padding, dilation }
    const y = [...shapes.x.slice(0, 2), ...shapes.weight.slice(4)]
    return { inputs: [shapes.x, y], call: (x, g) => ops.involutionWeightGradient(x, g, shapes.weight, attributes) }
  },
  maxPool: (draw) => {
    const options = {
      stride: draw.whole(1, 3),
      padding: draw.whole(0, 1),
      dilation: draw.whole(1, 2),
      ceilMode: draw.coin(),
    }
    const kernel = [2, draw.whole(2, 3)]
    return {
      inputs: [[draw.whole(1, 2), 2, draw.whole(5, 8), draw.whole(5, 8)]],
      call: (x) => ops.maxPool2d(x, kernel, options),
    }
  },
  within: (draw) => {
    const size = draw.whole(1, 5)
    const shape = draw.shape(0)
    const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.whole(0, size - 1))
    return {
      inputs: [{ shape, dtype: 'int64', values }],
      call: (x) => ops.within(x, { subject: 'within: index', size }),
    }
  },
  batchNorm: (draw) => {
    const channels = draw.whole(1, 4)
    const variance: ops.SampleInput = { shape: [channels], range: [0.5, 2] }
    return {
      inputs: [[draw.whole(1, 3), channels, ...draw.shape(0, 2)], [channels], variance],
      call: (x, mean, spread) => ops.batchNorm(x, mean, spread),
    }
  },
  rmsNorm: (draw) => {
    const shape = draw.shape(1)
    const normalized = shape.slice(draw.whole(0, shape.length - 1))
    return { inputs: [shape, normalized], call: (x, weight) => ops.rmsNorm(x, normalized, { weight }) }
  },
  layerNorm: (draw) => {
    const shape = draw.shape(1)
    const normalized = shape.slice(draw.whole(0, shape.length - 1))
    return {
      inputs: [shape, normalized, normalized],
      call: (x, weight, bias) => ops.layerNorm(x, normalized, { weight, bias }),
    }
  },
}

describe.each(
  Object.values(ops)
    .filter(ops.isOpDefinition)
    .map((op) => [op.name, op] as const),
)('%s', (name, op) => {
  const generator = generators[name] ?? (anyShape.has(name) ? elementwise(op) : undefined)
  test('random valid arguments', async () => {
    expect(generator, 'every op needs a generator of valid arguments').toBeDefined()
    for (let seed = 1; seed <= 5; seed++) if (generator) await checkForms(generator(new Draw(seed)), seed)
  })
})
