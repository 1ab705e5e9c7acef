/** Transposed convolutions with strides as one blocked convolution (docs/decisions/064-phases.md). */
import { elementCount } from '../../tensor/dtype.ts'
import { channelSizes, type Shape, sizeOf } from '../../tensor/shape.ts'
import type { Emitter } from '../define.ts'
import { inUsualOrder, lowerToBlocks, paysInBlocks } from './blocks.ts'
import { kernelPlaces } from './windows.ts'

/** A transposed convolution without groups and dilation. */
export interface SpreadConvolution {
  /** Names of x and weight. */
  readonly inputs: readonly [x: string, weight: string]
  /** [N, in, ...] */
  readonly x: Shape
  /** [in, out, ...kernel] */
  readonly weight: Shape
  /** [N, out, ...] */
  readonly output: Shape
  readonly stride: readonly number[]
  readonly before: readonly number[]
}

/** Along one axis: y[stride a + phase] = sum over t from `first` to `last` of x[a + t] w[phase + before - stride t]. */
interface Axis {
  readonly stride: number
  readonly before: number
  readonly kernel: number
  readonly first: number
  readonly last: number
}

function axisOf(kernel: number, stride: number, before: number): Axis {
  const [first, last] = [Math.ceil((before - kernel + 1) / stride), Math.floor((stride - 1 + before) / stride)]
  return { kernel, stride, before, first, last }
}

/** For each phase and each of its places the place of the kernel, as a number; that of a kernel's zeros where there is none. */
function placesOf(axes: readonly Axis[]): Int32Array {
  const zeros = axes.reduce((count, { kernel }) => count * kernel, 1)
  const phases = kernelPlaces(axes.map(({ stride }) => stride))
  const windows = kernelPlaces(axes.map(({ first, last }) => last - first + 1))
  const places = phases.flatMap((phase) =>
    windows.map((window) =>
      axes.reduce((found, { kernel, stride, before, first }, i) => {
        const place = sizeOf(phase, i) + before - stride * (first + sizeOf(window, i))
        return found === zeros || place < 0 || place >= kernel ? zeros : found * kernel + place
      }, 0),
    ),
  )
  return Int32Array.from(places)
}

// The runtime's ConvTranspose takes one example after another, which costs little where there are few.
const fewestExamples = 64

/**
 * Results whose places leave the same rest by the stride are a convolution of x of their own, with a part of the kernel. All of them together are one, with
 * out channels for each rest; the rest of the kernel is zero. Its blocks of channels are then put where they belong. undefined where it cannot be written so, or is not worth it.
 */
export function lowerInPhases(emit: Emitter, convolution: SpreadConvolution): string | undefined {
  const { inputs, x, weight, output, stride, before } = convolution
  const [from, to, ...kernel] = channelSizes(weight)
  const axes = stride.map((step, i) => axisOf(sizeOf(kernel, i), step, sizeOf(before, i)))
  const sizes = output.slice(2)
  const rows = sizes.map((size, i) => size / sizeOf(stride, i))
  const window = axes.map(({ first, last }) => last - first + 1)
  const phases = elementCount(stride)
  const low = axes.map(({ first }) => -first)
  const high = axes.map(({ last }, i) => sizeOf(rows, i) + last - sizeOf(x, i + 2))
  const blocked = {
    weight: [phases * to, from, ...window],
    turned: false,
    output: [sizeOf(x, 0), phases * to, ...rows],
    options: { strides: stride.map(() => 1), pads: [...low, ...high], dilations: stride.map(() => 1), group: 1 },
  }
  const block = emit.channelBlock
  const fits =
    sizeOf(x, 0) >= fewestExamples &&
    rows.every(Number.isInteger) &&
    [...low, ...high].every((zeros) => zeros >= 0) &&
    to % block === 0
  if (!fits || !paysInBlocks(block, { ...blocked, inputs })) return undefined
  const filter = phaseWeights(emit, inputs[1], weight, axes)
  const result = lowerToBlocks(emit, { ...blocked, inputs: [inputs[0], filter] })
  const split = emit.node('Reshape', [
    result,
    emit.ints([sizeOf(x, 0), ...stride, to / block, ...rows, block]), // [N, phases, out blocks, rows, block]
  ])
  const count = stride.length
  const interleaved = stride.flatMap((_, i) => [count + 2 + i, 1 + i])
  const placed = emit.node('Transpose', [split], { perm: [0, count + 1, ...interleaved, 2 * count + 2] })
  return inUsualOrder(emit, emit.node('Reshape', [placed, emit.ints(output)]), to)
}

/** [in, out, ...kernel] -> [phases out, in, ...window] */
function phaseWeights(emit: Emitter, name: string, weight: Shape, axes: readonly Axis[]): string {
  const [from, to, ...kernel] = channelSizes(weight)
  const places = placesOf(axes)
  const phases = axes.reduce((product, { stride }) => product * stride, 1)
  const flat = emit.node('Reshape', [name, emit.ints([from * to, elementCount(kernel)])])
  const byPlace = emit.node('Transpose', [flat], { perm: [1, 0] })
  const zeros = emit.constant('float32', [1, from * to], new Float32Array(from * to))
  const all = emit.node('Concat', [byPlace, zeros], { axis: 0 })
  const chosen = emit.node('Gather', [all, emit.constant('int32', [places.length], places)], { axis: 0 })
  const split = emit.node('Reshape', [chosen, emit.ints([phases, places.length / phases, from, to])])
  const ordered = emit.node('Transpose', [split], { perm: [0, 3, 2, 1] })
  const window = axes.map(({ first, last }) => last - first + 1)
  return emit.node('Reshape', [ordered, emit.ints([phases * to, from, ...window])])
}
