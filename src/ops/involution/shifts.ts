/**
 * Involution as a sum over the places of the kernel: the input moved by the place times the place's plane of kernels. Standard ONNX, no
 * copy of all windows; three passes over the input for each place.
 */
import { type Emitter, emitReshape } from '../define.ts'
import {
  allGroups,
  bordered,
  type Form,
  groupChannels,
  type Involution,
  joined,
  places,
  reachOf,
  sliced,
} from './geometry.ts'

/** What each place of the kernel meets, in row-major order: `visit` gets [groups, channels of a group, Ho, Wo]. */
function windowsOf(
  emit: Emitter,
  involution: Involution,
  input: string,
  visit: (window: string, place: number) => string,
): string[] {
  const { kernel, stride, dilation, output } = involution
  const reach = (axis: 0 | 1): number => reachOf(output[axis], kernel[axis], stride[axis], dilation[axis])
  const whole = bordered(emit, involution, input, [reach(0), reach(1)])
  const cut = (x: string, axis: 0 | 1, place: number): string => {
    const start = place * dilation[axis]
    return sliced(emit, x, axis + 2, [start, start + (output[axis] - 1) * stride[axis] + 1], stride[axis])
  }
  // Column by column: rows are moved whole after that.
  const visited = Array.from({ length: kernel[1] }, (_, column) => {
    const moved = cut(whole, 1, column)
    return Array.from({ length: kernel[0] }, (_, row) => visit(cut(moved, 0, row), row * kernel[1] + column))
  })
  return Array.from({ length: places(involution) }, (_, i) => visited[i % kernel[1]]?.[Math.floor(i / kernel[1])] ?? '')
}

/** The result [B, C, Ho, Wo]. */
export const byShifts: Form = (emit, involution, input, kernels) => {
  const {
    input: [batch, channels],
    output,
  } = involution
  const count = places(involution)
  const stacked = emitReshape(emit, kernels, [allGroups(involution), count, ...output])
  const planes = count === 1 ? [stacked] : emit.nodes('Split', [stacked], count, { axis: 1, num_outputs: count })
  let sum: string | undefined
  windowsOf(emit, involution, input, (window, place) => {
    const product = emit.node('Mul', [window, planes[place] ?? ''])
    sum = sum === undefined ? product : emit.node('Add', [sum, product])
    return sum
  })
  return emitReshape(emit, sum ?? '', [batch, channels, ...output])
}

/** The gradient of the kernels [B, G, KH, KW, Ho, Wo], from the output's [B, C, Ho, Wo]. */
export const gradientByShifts: Form = (emit, involution, input, gradient) => {
  const {
    input: [batch],
    groups,
    kernel,
    output,
  } = involution
  const g = emitReshape(emit, gradient, [allGroups(involution), groupChannels(involution), ...output])
  const planes = windowsOf(emit, involution, input, (window) =>
    emit.node('ReduceSum', [emit.node('Mul', [window, g]), emit.ints([1])], { keepdims: 1 }),
  )
  return emitReshape(emit, joined(emit, planes, 1), [batch, groups, ...kernel, ...output])
}
