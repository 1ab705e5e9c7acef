/** Normalisation of groups of channels of each example, axis 1 of x [N, C, ...]: group and instance norm. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { checked, first, type Operand, toFloat, toTensor } from '../define.ts'
import { rsqrt } from '../elementwise/arithmetic.ts'
import { add, mul, sub } from '../elementwise/binary.ts'
import { neg } from '../elementwise/unary.ts'
import { reshape } from '../movement/movement.ts'
import { mean, sum, sumTo } from '../reduction/reduce.ts'
import { type NormOptions, normNames } from './layer-norm.ts'
import { perChannel } from './per-channel.ts'

function normalizeGroups(op: string, input: Tensor, groups: number, options: NormOptions): Tensor {
  requireAtLeast(op, 'eps', options.eps ?? 0, 0)
  requireCount(op, 'groups', groups, 1)
  if (input.rank < 2 || sizeOf(input.shape, 1) % groups !== 0) {
    throw new ShapeError(
      `${op}: channels (axis 1) must be a multiple of the ${groups} groups, found ${formatShape(input.shape)}`,
    )
  }
  const [n, c, ...spatial] = channelSizes(input.shape)
  const positions = elementCount(spatial)
  const { weight, bias, eps = 1e-5 } = options
  const grouped = reshape(input, [n, groups, c / groups, positions])
  // Means of channels' means: sums in float32 lose less the shorter they are.
  const groupMean = (t: Tensor): Tensor => mean(mean(t, 3, { keepDims: true }), 2, { keepDims: true })
  // Two passes: mean(x^2) - mean(x)^2 would cancel where the mean is large beside the deviation.
  const centered = sub(grouped, groupMean(grouped))
  const inverse = rsqrt(add(groupMean(mul(centered, centered)), eps))
  // What the first mean's rounding left: taken off together with the shift, which costs no pass.
  const rest = groupMean(centered)
  const vector = (argument: string, given: Operand | undefined): Tensor | undefined => {
    if (given === undefined) return undefined
    const tensor = toTensor(op, given)
    const isByExample = sameShape(tensor.shape, [n, c])
    const numbers = isByExample ? tensor : perChannel(op, argument, tensor, input)
    return reshape(numbers, [isByExample ? n : 1, groups, c / groups, 1])
  }
  const [scale, shift] = [vector('weight', weight), vector('bias', bias)]
  const factor = scale ? mul(inverse, scale) : inverse
  const offset = shift ? sub(shift, mul(rest, factor)) : neg(mul(rest, factor))
  const y = add(mul(centered, factor), offset)
  return reshape(
    scale && shift ? withGroupGradient(y, grouped, scale, shift, [centered, rest, inverse]) : y,
    input.shape,
  )
}

/**
 * y = h scale + shift with h = (c - m) r, for c = x - mean [N, groups, channels, positions] as float32 has it, m the mean of c, which is
 * 0 but for rounding, and r = 1 / sqrt(variance + eps) [N, groups, 1, 1]; scale, shift [1 or N, groups, channels, 1].
 * With u = g scale and means over a group: dx = r (u - mean(u) - h mean(u h)). The means are those of sums over positions,
 * which scale's and shift's gradients need too; as g a + c b + d with numbers for each group or channel: seven passes.
 */
function withGroupGradient(
  y: Tensor,
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  statistics: readonly [centered: Tensor, rest: Tensor, inverse: Tensor],
): Tensor {
  const [, , channels, positions] = x.sizes(4)
  // c, m and r have gradients of their own: they are inputs here for the backward pass to use.
  const outputs = withBackward([y], [x, scale, shift, ...statistics], ([g], [, factor, offset, c, m, r]) => {
    if (!g || !factor || !offset || !c || !m || !r) return []
    const total = sum(g, 3, { keepDims: true })
    const projection = mul(sub(sum(mul(g, c), 3, { keepDims: true }), mul(total, m)), r)
    const share = (t: Tensor): Tensor =>
      mul(sum(mul(t, factor), 2, { keepDims: true }), mul(r, -1 / (channels * positions)))
    const slope = mul(r, share(projection))
    const byInput = add(mul(g, mul(factor, r)), add(mul(c, slope), sub(share(total), mul(m, slope))))
    const [byScale, byShift] = [sumTo(projection, factor.shape), sumTo(total, offset.shape)]
    return [byInput, byScale, byShift, undefined, undefined, undefined]
  })
  return first(outputs)
}

/**
 * Each group of channels of each example normalised together (Wu and He 2018). x [N, C, ...]; weight, bias [C], or [N, C]: for each
 * example its own, as where a condition steers the norm (adaptive group norm).
 */
export function groupNorm(x: Operand, groups: number, options?: NormOptions): Tensor {
  return checked(() =>
    normalizeGroups('groupNorm', toFloat('groupNorm', x), groups, optionsOf('groupNorm', options, normNames)),
  )
}

/** Each channel of each example normalised by itself. x [N, C, ...]; weight, bias [C]. */
export function instanceNorm(x: Operand, options?: NormOptions): Tensor {
  const input = toFloat('instanceNorm', x)
  return checked(() =>
    normalizeGroups(
      'instanceNorm',
      input,
      input.rank < 2 ? 1 : sizeOf(input.shape, 1),
      optionsOf('instanceNorm', options, normNames),
    ),
  )
}
