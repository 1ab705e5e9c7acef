/** Normalisation over the last axes: layer norm and RMS norm. Norms over channels are in `channel-norm.ts`. */
import { elementCount } from '../../tensor/dtype.ts'
import { checkShape, formatShape, type Shape, sameShape } from '../../tensor/shape.ts'
import type { Tensor, TensorType } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import {
  applyAll,
  checked,
  defineOp,
  type Emitter,
  emitConstants,
  first,
  inputAt,
  type Operand,
  type Ops,
  requireDType,
  toTensor,
} from '../define.ts'
import { add } from '../elementwise/binary.ts'

interface NormAttributes {
  /** First of the normalised axes; they reach to the last. */
  readonly axis: number
  readonly eps: number
}

/** x's type and that of its statistics, in which the normalised axes have size 1. */
function inferNorm(op: string, inputs: readonly TensorType[], axis: number): readonly [TensorType, TensorType] {
  const x = inputAt(op, inputs, 0)
  for (const input of inputs) requireDType(op, 'input', input, ['float32'])
  const normalized = x.shape.slice(axis)
  const wrong = inputs.slice(1).find((parameter) => !sameShape(parameter.shape, normalized))
  if (wrong) {
    throw new ShapeError(
      `${op}: weight and bias must have the normalised shape ${formatShape(normalized)}, found ${formatShape(wrong.shape)}`,
    )
  }
  return [
    { dtype: 'float32', shape: x.shape },
    { dtype: 'float32', shape: x.shape.map((size, i) => (i < axis ? size : 1)) },
  ]
}

/** The name of the weight, or of ones: the kernels want one. */
function weightName(emit: Emitter, inputs: readonly string[], types: readonly TensorType[], axis: number): string {
  const { shape } = inputAt('layerNorm', types, 0)
  return inputs[1] ?? emit.node('Expand', [emit.scalar(1, 'float32'), emit.ints(shape.slice(axis))])
}

/** Nothing to normalise: the result is empty, and statistics of no elements, if there are any, are NaN. */
function isEmpty([x]: readonly TensorType[]): boolean {
  return x !== undefined && elementCount(x.shape) === 0
}

/** Means over the axes from `axis` on of t, or of t times a weight: then by a product with it, which stores nothing. */
function weightedMean(o: Ops, t: Tensor, weight: Tensor | undefined, axis: number): Tensor {
  const axes = t.shape.map((_, i) => i).slice(axis)
  if (!weight) return o.mean(t, axes, { keepDims: true })
  const rows = o.reshape(t, [elementCount(t.shape.slice(0, axis)), weight.size])
  const column = o.reshape(o.mul(weight, 1 / weight.size), [weight.size, 1])
  return o.reshape(o.matmul(rows, column), [...t.shape.slice(0, axis), ...axes.map(() => 1)])
}

/** Sums over the axes before `axis`: gradients of what all rows share. */
function sumOfRows(o: Ops, t: Tensor, axis: number): Tensor {
  return o.sum(t, t.shape.map((_, i) => i).slice(0, axis))
}

/** Sums of rows with a factor for each of them: a product, which stores no rows. */
function weightedSumOfRows(o: Ops, t: Tensor, factors: Tensor, shape: Shape): Tensor {
  const rows = o.reshape(t, [factors.size, elementCount(shape)])
  return o.reshape(o.matmul(o.reshape(factors, [1, factors.size]), rows), shape)
}

/**
 * h = (x - mean) r with r = 1 / sqrt(var + eps), times weight, plus bias. A primitive because its kernel also yields
 * mean and r, so that the gradient recomputes neither. Inputs: x, weight, bias, the last ones optional. Outputs: y, mean, r.
 */
export const layerNormOp = defineOp<NormAttributes>({
  name: 'layerNorm',
  infer: (inputs, { axis }) => {
    const [type, statistics] = inferNorm('layerNorm', inputs, axis)
    return [type, statistics, statistics]
  },
  // With u = g weight, h = c r and c = x - mean: dx = r (u - mean(u) - h mean(u h)), dmean/dx = 1/n, dr/dx = -r^2 h / n.
  // Only without a weight is h at hand, as y; else r goes into the numbers for each row, as h would be one pass more.
  gradient: (o, { inputs, outputs, attributes: { axis } }, [g, gMean, gInverse]) => {
    const [x, weight, bias] = inputs
    const [y, mean, inverse] = outputs
    if (!x || !y || !mean || !inverse) return []
    const count = elementCount(x.shape.slice(axis))
    const centered = weight ? o.sub(x, mean) : y
    const byRow = (t: Tensor): Tensor => (weight ? o.mul(t, inverse) : t)
    const terms: Tensor[] = []
    const product = g && o.mul(g, centered)
    if (g && product) {
      const scaled = weight ? o.mul(g, weight) : g
      const projection = o.mul(centered, byRow(byRow(weightedMean(o, product, weight, axis))))
      terms.push(o.mul(o.sub(o.sub(scaled, weightedMean(o, g, weight, axis)), projection), inverse))
    }
    if (gMean) terms.push(o.expand(o.mul(gMean, 1 / count), x.shape))
    if (gInverse) terms.push(o.mul(centered, byRow(o.mul(gInverse, o.mul(o.mul(inverse, inverse), -1 / count)))))
    return [
      terms.length > 0 ? o.addAll(terms) : undefined,
      weight && product && weightedSumOfRows(o, product, inverse, weight.shape),
      bias && g && sumOfRows(o, g, axis),
    ]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { axis, eps } }) => {
    if (isEmpty(inputTypes)) return emitConstants(emit, outputTypes, Number.NaN)
    const weight = weightName(emit, inputs, inputTypes, axis)
    const operands = [inputAt('layerNorm', inputs, 0), weight, ...inputs.slice(2)]
    return emit.nodes('LayerNormalization', operands, 3, { axis, epsilon: { float: eps } })
  },
  samples: () => [
    { inputs: [[2, 4], [4], [4]], call: (x, w, b) => layerNorm(x, [4], { weight: w, bias: b }) },
    {
      inputs: [
        [2, 3, 4],
        [3, 4],
      ],
      call: (x, w) => layerNorm(x, [3, 4], { weight: w, eps: 1e-2 }),
    },
    { inputs: [[3, 5]], call: (x) => layerNorm(x, [5]) },
    { inputs: [[2, 1, 4], [4]], call: (x, bias) => layerNorm(x, [4], { bias }) },
    { inputs: [[4], [4]], call: (x, weight) => layerNorm(x, [4], { weight }) },
    { inputs: [[2, 3, 4]], call: (x) => layerNormWithStatistics([x], 1) },
    { inputs: [[3, 4], [4]], call: (x, w) => layerNormWithStatistics([x, w], 1) },
  ],
  errors: () => [
    { inputs: [[2, 4]], call: (x) => layerNorm(x, [3]) },
    { inputs: [[2, 4]], call: (x) => layerNorm(x, []) },
    { inputs: [[2, 4], [3]], call: (x, w) => layerNorm(x, [4], { weight: w }) },
    { inputs: [[2, 4], [3]], call: (x, b) => layerNorm(x, [4], { bias: b }) },
    { inputs: [{ shape: [2, 4], dtype: 'int32' }], call: (x) => layerNorm(x, [4]) },
    { inputs: [[2, 4]], call: (x) => layerNorm(x, [4], { eps: -1 }) },
  ],
})

function layerNormWithStatistics(inputs: readonly Tensor[], axis: number): readonly Tensor[] {
  return applyAll(layerNormOp, inputs, { axis, eps: 0.1 })
}

/** Scale and shift of a norm, and the number that keeps the deviation from 0. */
export interface NormOptions {
  readonly weight?: Operand | undefined
  readonly bias?: Operand | undefined
  /** Default: 1e-5. */
  readonly eps?: number
}

/** The names of its options. */
export const normNames = { weight: true, bias: true, eps: true } as const

/** The first normalised axis of x, which must end with the normalised shape. */
function normalizedAxis(op: string, x: Tensor, normalized: Shape): number {
  checkShape(op, normalized, 'normalizedShape')
  const axis = x.rank - normalized.length
  if (axis >= 0 && normalized.length > 0 && sameShape(x.shape.slice(axis), normalized)) return axis
  throw new ShapeError(
    `${op}: the input must end with the normalised shape ${formatShape(normalized)}, found ${formatShape(x.shape)}`,
  )
}

/** Layer norm over the last axes, which must have `normalizedShape` (Ba et al. 2016). weight, bias: of that shape. */
export function layerNorm(x: Operand, normalizedShape: Shape, options?: NormOptions): Tensor {
  const [input, { weight, bias, eps = 1e-5 }] = [toTensor('layerNorm', x), optionsOf('layerNorm', options, normNames)]
  return checked(() => {
    requireAtLeast('layerNorm', 'eps', eps, 0)
    const axis = normalizedAxis('layerNorm', input, normalizedShape)
    const parameters = [weight, bias].map((parameter) =>
      parameter === undefined ? undefined : toTensor('layerNorm', parameter),
    )
    const given = parameters.filter((parameter) => parameter !== undefined)
    inferNorm('layerNorm', [input, ...given], axis)
    const [scale, shift] = parameters
    if (shift && !scale) return add(first(applyAll(layerNormOp, [input], { axis, eps })), shift)
    return first(applyAll(layerNormOp, [input, ...given], { axis, eps }))
  })
}

/**
 * h = x r with r = 1 / sqrt(mean(x^2) + eps), times weight. A primitive because ONNX Runtime has a kernel for it, which
 * also yields r. Inputs: x and, if any, weight. Outputs: y, r.
 */
export const rmsNormOp = defineOp<NormAttributes>({
  name: 'rmsNorm',
  infer: (inputs, { axis }) => inferNorm('rmsNorm', inputs, axis),
  // With u = g weight: dx = r (u - h mean(u h)), dr/dx = -r^2 h / n.
  gradient: (o, { inputs, outputs, attributes: { axis } }, [g, gInverse]) => {
    const [x, weight] = inputs
    const [y, inverse] = outputs
    if (!x || !y || !inverse) return []
    const count = elementCount(x.shape.slice(axis))
    const normal = weight ? o.mul(x, inverse) : y
    const terms: Tensor[] = []
    const weightGradient = g && o.mul(g, normal)
    if (g && weightGradient) {
      const projection = o.mul(normal, weightedMean(o, weightGradient, weight, axis))
      terms.push(o.mul(o.sub(weight ? o.mul(g, weight) : g, projection), inverse))
    }
    if (gInverse) terms.push(o.mul(normal, o.mul(gInverse, o.mul(o.mul(inverse, inverse), -1 / count))))
    return [
      terms.length > 0 ? o.addAll(terms) : undefined,
      weight && weightGradient && sumOfRows(o, weightGradient, axis),
    ]
  },
  lower: (emit, { inputs, inputTypes, outputTypes, attributes: { axis, eps } }) => {
    if (isEmpty(inputTypes)) return emitConstants(emit, outputTypes, Number.NaN)
    const [x, type] = [inputAt('rmsNorm', inputs, 0), inputAt('rmsNorm', inputTypes, 0)]
    const weight = inputs[1]
    if (emit.fused) {
      const operands = [x, weightName(emit, inputs, inputTypes, axis)]
      return emit.nodes('SimplifiedLayerNormalization', operands, 2, { axis, epsilon: { float: eps } })
    }
    const axes = type.shape.map((_, i) => i).slice(axis)
    const power = emit.node('ReduceMean', [emit.node('Mul', [x, x]), emit.ints(axes)], { keepdims: 1 })
    const inverse = emit.node('Reciprocal', [
      emit.node('Sqrt', [emit.node('Add', [power, emit.scalar(eps, 'float32')])]),
    ])
    const normal = emit.node('Mul', [x, inverse])
    return [weight === undefined ? normal : emit.node('Mul', [normal, weight]), inverse]
  },
  samples: () => [
    { inputs: [[2, 4], [4]], call: (x, weight) => rmsNorm(x, [4], { weight }) },
    { inputs: [[2, 3, 2]], call: (x) => rmsNorm(x, [3, 2], { eps: 0.1 }) },
    { inputs: [[3, 1, 4]], call: (x) => rmsNormWithStatistics([x], 2) },
    { inputs: [[3, 4], [4]], call: (x, w) => rmsNormWithStatistics([x, w], 1) },
  ],
  errors: () => [
    { inputs: [[2, 4]], call: (x) => rmsNorm(x, [2]) },
    { inputs: [[2, 4], [2]], call: (x, weight) => rmsNorm(x, [4], { weight }) },
    { inputs: [{ shape: [2, 4], dtype: 'int64' }], call: (x) => rmsNorm(x, [4]) },
    { inputs: [[2, 4]], call: (x) => rmsNorm(x, [4], { eps: Number.NaN }) },
  ],
})

function rmsNormWithStatistics(inputs: readonly Tensor[], axis: number): readonly Tensor[] {
  return applyAll(rmsNormOp, inputs, { axis, eps: 0.1 })
}

/**
 * x / sqrt(mean(x^2) + eps) * weight over the last axes, which must have `normalizedShape` (Zhang and Sennrich 2019).
 * Default eps: float32's resolution, 2^-23, as in PyTorch.
 */
export function rmsNorm(x: Operand, normalizedShape: Shape, options?: Omit<NormOptions, 'bias'>): Tensor {
  const [input, { weight, eps = 2 ** -23 }] = [
    toTensor('rmsNorm', x),
    optionsOf('rmsNorm', options, { weight: true, eps: true }),
  ]
  return checked(() => {
    requireAtLeast('rmsNorm', 'eps', eps, 0)
    const axis = normalizedAxis('rmsNorm', input, normalizedShape)
    const inputs = weight === undefined ? [input] : [input, toTensor('rmsNorm', weight)]
    return first(applyAll(rmsNormOp, inputs, { axis, eps }))
  })
}
