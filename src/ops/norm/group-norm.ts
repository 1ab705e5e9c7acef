/** Normalisation of groups of channels of each example, axis 1 of x [N, C, ...]: group and instance norm. */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, formatShape, sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { optionsOf, requireAtLeast, requireCount } from '../../util/check.ts'
import { ShapeError } from '../../util/errors.ts'
import { withBackward } from '../control.ts'
import { applyAll, checked, first, inputAt, type Operand, toFloat } from '../define.ts'
import { add, mul, sub } from '../elementwise/binary.ts'
import { reshape } from '../movement/movement.ts'
import { mean, sum } from '../reduction/reduce.ts'
import { layerNormOp, type NormOptions } from './layer-norm.ts'
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
  const size = (c / groups) * elementCount(spatial)
  const { weight, bias, eps = 1e-5 } = options
  const grouped = reshape(input, [n, groups, size])
  // ONNX Runtime takes the variance as mean(x^2) - mean(x)^2, which cancels where the mean is large beside the deviation.
  const centered = sub(grouped, mean(grouped, 2, { keepDims: true }))
  const statistics = applyAll(layerNormOp, [centered], { axis: 2, eps })
  const [normal, inverse] = [inputAt(op, statistics, 0), inputAt(op, statistics, 2)]
  const vector = (argument: string, given: Operand | undefined): Tensor | undefined =>
    given === undefined ? undefined : perChannel(op, argument, given, input)
  const [scale, shift] = [vector('weight', weight), vector('bias', bias)]
  const unshifted = scale ? mul(reshape(normal, input.shape), scale) : reshape(normal, input.shape)
  const y = shift ? add(unshifted, shift) : unshifted
  return scale && shift ? withGroupGradient(y, input, scale, shift, normal, inverse) : y
}

/**
 * y = h scale + shift with h = (x - mean) r, the normal of each group, and r = 1 / sqrt(variance + eps) [N, groups, 1]; scale, shift
 * [1, C, 1, ...]. With u = g scale and means over a group: dx = r (u - mean(u) - h mean(u h)). The means are those of sums over
 * positions, which scale's and shift's gradients need too; as g a + h b + c with numbers for each group or channel: seven passes.
 */
function withGroupGradient(
  y: Tensor,
  x: Tensor,
  scale: Tensor,
  shift: Tensor,
  normal: Tensor,
  inverse: Tensor,
): Tensor {
  const [n, groups] = [sizeOf(normal.shape, 0), sizeOf(normal.shape, 1)]
  const channels = sizeOf(x.shape, 1)
  const positions = elementCount(x.shape.slice(2))
  const byGroup = [n, groups, channels / groups, positions]
  // The normal and r have gradients of their own: they are inputs here for the backward pass to use.
  const outputs = withBackward([y], [x, scale, shift, normal, inverse], ([g], [, factor, , h, r]) => {
    if (!g || !factor || !h || !r) return []
    const [g4, h4] = [reshape(g, byGroup), reshape(h, byGroup)]
    const [total, projection] = [sum(g4, 3, { keepDims: true }), sum(mul(g4, h4), 3, { keepDims: true })]
    const [weights, inverses] = [reshape(factor, [1, groups, -1, 1]), reshape(r, [n, groups, 1, 1])]
    const share = (t: Tensor): Tensor =>
      mul(sum(mul(t, weights), 2, { keepDims: true }), mul(inverses, -groups / (channels * positions)))
    const byInput = add(mul(g4, mul(weights, inverses)), add(mul(h4, share(projection)), share(total)))
    const byVector = [projection, total].map((t) => reshape(sum(t, 0), scale.shape))
    return [reshape(byInput, x.shape), ...byVector, undefined, undefined]
  })
  return first(outputs)
}

/** Each group of channels of each example normalised together (Wu and He 2018). x [N, C, ...]; weight, bias [C]. */
export function groupNorm(x: Operand, groups: number, options?: NormOptions): Tensor {
  return checked(() => normalizeGroups('groupNorm', toFloat('groupNorm', x), groups, optionsOf('groupNorm', options)))
}

/** Each channel of each example normalised by itself. x [N, C, ...]; weight, bias [C]. */
export function instanceNorm(x: Operand, options?: NormOptions): Tensor {
  const input = toFloat('instanceNorm', x)
  return checked(() =>
    normalizeGroups(
      'instanceNorm',
      input,
      input.rank < 2 ? 1 : sizeOf(input.shape, 1),
      optionsOf('instanceNorm', options),
    ),
  )
}
