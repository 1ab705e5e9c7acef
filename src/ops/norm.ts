/** Normalisation: layer, group, instance, batch, RMS. */
import { elementCount } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { ShapeError } from '../util/errors.ts'
import { add, div, maximum, mul, pow, sub } from './binary.ts'
import { addAll } from './composite.ts'
import { stopGradient } from './control.ts'
import {
  applyAll,
  checked,
  constantOf,
  defineOp,
  first,
  inputAt,
  type Operand,
  requireDType,
  toTensor,
} from './define.ts'
import { matmul } from './matmul.ts'
import { reshape, slice } from './movement.ts'
import { padAxis } from './padding.ts'
import { mean, sum } from './reduce.ts'
import { sqrt } from './unary.ts'

interface NormAttributes {
  /** First of the normalised axes; they reach to the last. */
  readonly axis: number
  readonly eps: number
}

/**
 * (x - mean) / sqrt(var + eps) * weight + bias over the last axes. A primitive because its kernel also yields mean and
 * inverse deviation, so that the gradient recomputes nothing. Outputs: y, mean, inverse deviation.
 */
export const layerNormOp = defineOp<NormAttributes>({
  name: 'layerNorm',
  infer: (inputs, { axis }) => {
    const x = inputAt('layerNorm', inputs, 0)
    for (const input of inputs) requireDType('layerNorm', 'input', input, ['float32'])
    const normalized = x.shape.slice(axis)
    for (const parameter of inputs.slice(1)) {
      if (!sameShape(parameter.shape, normalized)) {
        throw new ShapeError(
          `layerNorm: weight and bias must have the normalised shape ${formatShape(normalized)}, found ${formatShape(parameter.shape)}`,
        )
      }
    }
    const statistics = { dtype: 'float32', shape: x.shape.map((size, i) => (i < axis ? size : 1)) } as const
    return [{ dtype: 'float32', shape: x.shape }, statistics, statistics]
  },
  // With h = (x - mean) r and u = g w: dx = r (u - mean(u) - h mean(u h)); the statistics' own gradients add to it.
  gradient: (o, { inputs, outputs, attributes }, [g, gMean, gInverse]) => {
    const [x, weight, bias] = inputs
    const [, center, inverse] = outputs
    if (!x || !weight || !center || !inverse) return []
    const axes = x.shape.map((_, i) => i).slice(attributes.axis)
    const count = elementCount(x.shape.slice(attributes.axis))
    const normal = o.mul(o.sub(x, center), inverse)
    const terms: Tensor[] = []
    if (g) {
      const scaled = o.mul(g, weight)
      const average = o.mean(scaled, axes, { keepDims: true })
      const projection = o.mean(o.mul(scaled, normal), axes, { keepDims: true })
      terms.push(o.mul(o.sub(o.sub(scaled, average), o.mul(normal, projection)), inverse))
    }
    if (gMean) terms.push(o.expand(o.mul(gMean, 1 / count), x.shape))
    if (gInverse) terms.push(o.mul(normal, o.mul(gInverse, o.mul(o.mul(inverse, inverse), -1 / count))))
    const leading = x.shape.map((_, i) => i).slice(0, attributes.axis)
    return [
      terms.length > 0 ? o.addAll(terms) : undefined,
      g && (leading.length > 0 ? o.sum(o.mul(g, normal), leading) : o.mul(g, normal)),
      bias && g && (leading.length > 0 ? o.sum(g, leading) : g),
    ]
  },
  lower: (emit, { inputs, attributes: { axis, eps } }) =>
    emit.nodes('LayerNormalization', inputs, 3, { axis, epsilon: { float: eps } }),
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
  ],
  errors: () => [
    { inputs: [[2, 4]], call: (x) => layerNorm(x, [3]) },
    { inputs: [[2, 4], [3]], call: (x, w) => layerNorm(x, [4], { weight: w }) },
  ],
})

/** Scale and shift of a norm, and the number that keeps the deviation from 0. */
export interface NormOptions {
  readonly weight?: Operand | undefined
  readonly bias?: Operand | undefined
  /** Default: 1e-5. */
  readonly eps?: number
}

/** Layer norm over the last axes, which must have `normalizedShape` (Ba et al. 2016). weight, bias: of that shape. */
export function layerNorm(x: Operand, normalizedShape: readonly number[], options: NormOptions = {}): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const axis = input.rank - normalizedShape.length
    if (axis < 0 || normalizedShape.length === 0 || !sameShape(input.shape.slice(axis), normalizedShape)) {
      throw new ShapeError(
        `layerNorm: the input must end with the normalised shape ${formatShape(normalizedShape)}, found ${formatShape(input.shape)}`,
      )
    }
    const ones = (): Tensor => constantOf(new Float32Array(elementCount(normalizedShape)).fill(1), normalizedShape)
    const weight = options.weight === undefined ? ones() : toTensor(options.weight)
    const inputs = options.bias === undefined ? [input, weight] : [input, weight, toTensor(options.bias)]
    return first(applyAll(layerNormOp, inputs, { axis, eps: options.eps ?? 1e-5 }))
  })
}

/** x / sqrt(mean(x^2) + eps) * weight over the last axes (Zhang and Sennrich 2019). */
export function rmsNorm(x: Operand, normalizedShape: readonly number[], options: NormOptions = {}): Tensor {
  const input = toTensor(x)
  const axes = input.shape.map((_, i) => i).slice(input.rank - normalizedShape.length)
  const scale = sqrt(add(mean(mul(input, input), axes, { keepDims: true }), options.eps ?? 2 ** -23))
  const normal = div(input, scale)
  return options.weight === undefined ? normal : mul(normal, options.weight)
}

/** A vector of one number per channel, shaped to broadcast over [N, C, ...]. */
function perChannel(vector: Operand, rank: number): Tensor {
  const tensor = toTensor(vector)
  return reshape(tensor, [1, tensor.size, ...new Array<number>(rank - 2).fill(1)])
}

function scaledAndShifted(normal: Tensor, { weight, bias }: NormOptions): Tensor {
  const scaled = weight === undefined ? normal : mul(normal, perChannel(weight, normal.rank))
  return bias === undefined ? scaled : add(scaled, perChannel(bias, normal.rank))
}

/** Each group of channels of each example normalised together (Wu and He 2018). x [N, C, ...]; weight, bias [C]. */
export function groupNorm(x: Operand, groups: number, options: NormOptions = {}): Tensor {
  const input = toTensor(x)
  return checked(() => {
    const [n = 0, c = 0] = input.shape
    if (input.rank < 2 || c % groups !== 0) {
      throw new ShapeError(
        `groupNorm: channels (axis 1) must be a multiple of the ${groups} groups, found ${formatShape(input.shape)}`,
      )
    }
    const size = groups > 0 && n > 0 ? input.size / (n * groups) : 0
    const normal = layerNorm(reshape(input, [n, groups, size]), [size], { eps: options.eps ?? 1e-5 })
    return scaledAndShifted(reshape(normal, input.shape), options)
  })
}

/** Each channel of each example normalised by itself. x [N, C, ...]; weight, bias [C]. */
export function instanceNorm(x: Operand, options: NormOptions = {}): Tensor {
  const input = toTensor(x)
  return groupNorm(input, input.shape[1] ?? 1, options)
}

/** Batch statistics and the running ones after them. */
export interface BatchNormResult {
  readonly output: Tensor
  readonly runningMean: Tensor
  readonly runningVar: Tensor
}

function channelAxes(input: Tensor): number[] {
  return input.shape.map((_, i) => i).filter((i) => i !== 1)
}

/**
 * Batch norm in training (Ioffe and Szegedy 2015): each channel of x [N, C, ...] by its mean and biased variance in the
 * batch; running statistics move by `momentum` (default 0.1) toward the mean and the unbiased variance.
 */
export function batchNormTrain(
  x: Operand,
  runningMean: Operand,
  runningVar: Operand,
  options: NormOptions & { readonly momentum?: number } = {},
): BatchNormResult {
  const input = toTensor(x)
  return checked(() => {
    const axes = channelAxes(input)
    const count = input.size / (input.shape[1] ?? 1)
    if (input.rank < 2 || count <= 1) {
      throw new ShapeError(
        `batchNorm: training needs more than one value per channel, found ${formatShape(input.shape)}`,
      )
    }
    const momentum = options.momentum ?? 0.1
    const center = mean(input, axes, { keepDims: true })
    const deviation = sub(input, center)
    const variance = mean(mul(deviation, deviation), axes, { keepDims: true })
    const normal = div(deviation, sqrt(add(variance, options.eps ?? 1e-5)))
    const move = (old: Operand, found: Tensor): Tensor =>
      add(mul(old, 1 - momentum), mul(reshape(found, [-1]), momentum))
    return {
      output: scaledAndShifted(normal, options),
      runningMean: move(runningMean, center),
      runningVar: move(runningVar, mul(variance, count / (count - 1))),
    }
  })
}

/** Batch norm in evaluation: by the running statistics. */
export function batchNorm(x: Operand, runningMean: Operand, runningVar: Operand, options: NormOptions = {}): Tensor {
  const input = toTensor(x)
  const scale = sqrt(add(perChannel(runningVar, input.rank), options.eps ?? 1e-5))
  return scaledAndShifted(div(sub(input, perChannel(runningMean, input.rank)), scale), options)
}

/**
 * x / (k + alpha / size * (sum of squares over `size` neighbouring channels))^beta (AlexNet). x [N, C, ...].
 * Defaults: alpha 1e-4, beta 0.75, k 1.
 */
export function localResponseNorm(
  x: Operand,
  size: number,
  options: { readonly alpha?: number; readonly beta?: number; readonly k?: number } = {},
): Tensor {
  const input = toTensor(x)
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options
  return checked(() => {
    const channels = input.shape[1] ?? 0
    const before = Math.floor(size / 2)
    const squares = padAxis(mul(input, input), 1, before, size - 1 - before)
    const neighbours = Array.from({ length: size }, (_, i) => slice(squares, [i, i + channels], 1))
    return div(input, pow(add(mul(addAll(neighbours), alpha / size), k), beta))
  })
}

/** A weight divided by its largest singular value, and the vectors that estimate it. */
export interface SpectralNormResult {
  readonly weight: Tensor
  readonly sigma: Tensor
  readonly u: Tensor
  readonly v: Tensor
}

/**
 * Spectral norm (Miyato et al. 2018): the weight as a matrix [rows, rest], sigma = u W v after `iterations` steps of
 * power iteration from u [rows] and v [rest]. Both are constants for the gradient. 0 iterations: evaluation.
 */
export function spectralNorm(
  weight: Operand,
  u: Operand,
  v: Operand,
  options: { readonly iterations?: number; readonly eps?: number } = {},
): SpectralNormResult {
  const { iterations = 1, eps = 1e-12 } = options
  const given = toTensor(weight)
  return checked(() => {
    const matrix = reshape(given, [given.shape[0] ?? 1, -1])
    const unit = (t: Tensor): Tensor => div(t, maximum(sqrt(sum(mul(t, t))), eps))
    let [left, right] = [toTensor(u), toTensor(v)]
    for (let i = 0; i < iterations; i++) {
      right = stopGradient(unit(matmul(left, matrix)))
      left = stopGradient(unit(matmul(matrix, right)))
    }
    const sigma = sum(mul(stopGradient(left), matmul(matrix, stopGradient(right))))
    return { weight: div(given, sigma), sigma, u: left, v: right }
  })
}
