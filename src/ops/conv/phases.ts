/** Transposed convolutions with strides as blocked convolutions (docs/decisions/064-phases.md). */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sameShape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'
import { blockedConvolution, blockedWeight, inBlocks, inUsualOrder } from './blocks.ts'
import { kernelPlaces } from './windows.ts'

/** A transposed convolution without groups and dilation: y[i] = sum over a of x[a] w[i + before - stride a], along each axis. */
export interface SpreadConvolution {
  /** Name of x. */
  readonly x: string
  /** Name of the bias [out], or none. */
  readonly bias: readonly string[]
  /** Writes the weight with its places first, [...kernel, in, out], and gives its name. */
  readonly weight: () => string
  readonly kernel: readonly number[]
  /** [N, in, ...] */
  readonly input: Shape
  /** [N, out, ...] */
  readonly output: Shape
  readonly stride: readonly number[]
  readonly before: readonly number[]
}

/** Along one axis: y[stride a + phase] is the sum over t from `first` on of x[a + t] w[phase + before - stride t]. */
interface Phase {
  /** The kernel's places, from t = `first` on. */
  readonly places: readonly number[]
  /** Zeros before and after x. */
  readonly low: number
  readonly high: number
}

/** The phases along one axis. */
function phasesOf({ kernel, stride, before, input, output }: SpreadConvolution, axis: number): Phase[] {
  const [step, size] = [sizeOf(stride, axis), sizeOf(kernel, axis)]
  return Array.from({ length: step }, (_, phase) => {
    const reach = phase + sizeOf(before, axis)
    const [first, last] = [Math.ceil((reach - size + 1) / step), Math.floor(reach / step)]
    const places = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => reach - step * (first + i))
    return { places, low: -first, high: Math.ceil(sizeOf(output, axis + 2) / step) + last - sizeOf(input, axis + 2) }
  })
}

/** With more of them, putting them beside each other takes longer than is saved. */
export const mostPhases = 16

// A phase that meets no place of the kernel is 0: then the runtime's ConvTranspose is faster.
const isPossible = ({ places, low, high }: Phase): boolean => places.length > 0 && low >= 0 && high >= 0

/**
 * Results whose places leave the same rest by the stride are a convolution of x of their own, with the part of the kernel that they meet:
 * a blocked one for each of these phases. Their places are then put beside each other. undefined: it can't be written so.
 */
export function lowerInPhases(emit: Emitter, convolution: SpreadConvolution): string | undefined {
  const { x, bias, kernel, input, output, stride } = convolution
  const [block, inner, out] = [emit.channelBlock, sizeOf(input, 1), sizeOf(output, 1)]
  const axes = stride.map((_, axis) => phasesOf(convolution, axis))
  const fillsBlocks = block > 1 && stride.length === 2 && inner % block === 0 && out % block === 0
  if (!fillsBlocks || elementCount(stride) > mostPhases || !axes.every((phases) => phases.every(isPossible)))
    return undefined
  const columns = convolution.weight()
  const blocked = inBlocks(emit, x)
  const parts = kernelPlaces(stride).map((chosen) => {
    const phases = chosen.flatMap((phase, axis) => axes[axis]?.[phase] ?? [])
    const window = phases.map(({ places }) => places.length)
    const places = kernelPlaces(window).map((at) =>
      phases.reduce((flat, phase, axis) => flat * sizeOf(kernel, axis) + sizeOf(phase.places, sizeOf(at, axis)), 0),
    )
    const rows = { out, inner, places, placesFirst: true, count: elementCount(kernel) }
    return blockedConvolution(emit, [blocked, blockedWeight(emit, columns, rows, window), ...bias], {
      kernel_shape: window,
      strides: stride.map(() => 1),
      pads: [...phases.map(({ low }) => low), ...phases.map(({ high }) => high)],
      dilations: stride.map(() => 1),
      group: 1,
    })
  })
  return inUsualOrder(emit, interleaved(emit, parts, convolution), out)
}

/** Places of all phases beside each other, along the last axis first: each is as wide as a block of channels. */
function interleaved(emit: Emitter, phases: readonly string[], { stride, output }: SpreadConvolution): string {
  const block = emit.channelBlock
  const [n, out, ...sizes] = channelSizes(output)
  // Phases are equally long: what is beyond the result is left out at the end.
  const whole = sizes.map((size, axis) => Math.ceil(size / sizeOf(stride, axis)) * sizeOf(stride, axis))
  let [parts, length] = [phases, block]
  for (let axis = stride.length - 1; axis >= 0; axis--) {
    const step = sizeOf(stride, axis)
    const rows = parts.map((part) => emit.node('Reshape', [part, emit.ints([-1, length])]))
    parts = Array.from({ length: rows.length / step }, (_, i) =>
      emit.node('Concat', rows.slice(i * step, (i + 1) * step), { axis: 1 }),
    )
    length *= sizeOf(whole, axis)
  }
  let [joined = ''] = parts
  if (!sameShape(sizes, whole)) {
    const places = emit.node('Reshape', [joined, emit.ints([n, out / block, ...whole, block])])
    const axes = sizes.map((_, axis) => axis + 2)
    joined = emit.node('Slice', [places, emit.ints(sizes.map(() => 0)), emit.ints(sizes), emit.ints(axes)])
  }
  return emit.node('Reshape', [joined, emit.ints(output)])
}
