/** Max pooling for runtimes whose kernel gives no places, and the lowest number for NaN and -infinity. */
import { type Shape, sizeOf } from '../../tensor/shape.ts'
import { kernelPlaces, type WindowAttributes } from '../conv/windows.ts'
import type { Emitter } from '../define.ts'
import { emitIsNumber } from '../elementwise/not-a-number.ts'

/** The largest float32, and the one below it. */
const largest = (2 - 2 ** -23) * 2 ** 127
const secondLargest = (2 - 2 ** -22) * 2 ** 127

/** The windows of a max pooling. */
export interface MaxWindows extends WindowAttributes {
  readonly kernel: readonly number[]
  readonly padding: readonly [before: readonly number[], after: readonly number[]]
  /** [N, C, ...sizes] and [N, C, ...positions] */
  readonly from: Shape
  readonly to: Shape
}

/**
 * Nodes of the maxima of the windows, and of where they lie in the flattened input (int64): of equal numbers the first, NaN only where
 * a window has nothing else.
 */
export function emitMaxWindows(emit: Emitter, x: string, windows: MaxWindows): readonly [string, string] {
  const { kernel, stride, dilation, from, to } = windows
  const columns = kernelPlaces(kernel).map((place) => place.map((index, i) => index * sizeOf(dilation, i)))
  const keys = paddedKeys(emit, x, windows)
  const spatial = emit.ints(kernel.map((_, i) => i + 2))
  const slices = columns.map((starts) => {
    const ends = starts.map((start, i) => start + (sizeOf(to, i + 2) - 1) * sizeOf(stride, i) + 1)
    return emit.node('Slice', [keys, emit.ints(starts), emit.ints(ends), spatial, emit.ints(stride)])
  })
  const stacked = emit.node('Concat', slices, { axis: 0 })
  const table = emit.node('Reshape', [stacked, emit.ints([columns.length, ...to])])
  const place = emit.node('ArgMax', [table], { axis: 0, keepdims: 0 })
  const flat = (starts: readonly number[]): number =>
    starts.reduce((sum, start, i) => sum + start * elementsAfter(from, i + 2), 0)
  const offsets = emit.constant('int32', [columns.length], Int32Array.from(columns, flat))
  const indices = emit.node('Add', [emit.node('Gather', [offsets, place]), windowStarts(emit, windows)])
  const maxima = emit.node('Gather', [emit.node('Reshape', [x, emit.ints([-1])]), indices])
  return [maxima, emit.cast(indices, 'int64')]
}

/** Nodes of the maxima alone: by the kernel, and where it found none, -infinity or NaN. `attributes`: the kernel's. */
export function emitMaxima(emit: Emitter, x: string, attributes: Parameters<Emitter['node']>[2]): string {
  const number = (value: number): string => emit.scalar(value, 'float32')
  const isNumber = emitIsNumber(emit, x)
  const pool = (ofNumbers: string, ofNan: number): string =>
    emit.node('MaxPool', [emit.node('Where', [isNumber, ofNumbers, number(ofNan)])], attributes)
  const [maxima, hasNumber] = [pool(x, -largest), emit.node('Greater', [pool(number(1), 0), number(0)])]
  const rest = emit.node('Where', [hasNumber, number(Number.NEGATIVE_INFINITY), number(Number.NaN)])
  return emit.node('Where', [emit.node('Greater', [maxima, number(-largest)]), maxima, rest])
}

/** Elements between neighbours on an axis. */
function elementsAfter(shape: Shape, axis: number): number {
  return shape.slice(axis + 1).reduce((product, size) => product * size, 1)
}

/** Finite numbers in the order of those of x: padding below NaN, that below all numbers. */
function paddedKeys(emit: Emitter, x: string, { padding }: MaxWindows): string {
  const number = (value: number): string => emit.scalar(value, 'float32')
  // Numbers below, of which there is hardly any, count as equals of -infinity.
  const least = (1 - 2 ** -22) * secondLargest
  const bounded = emit.node('Clip', [x, number(-least), number(largest)])
  const keys = emit.node('Where', [emitIsNumber(emit, x), bounded, number(-secondLargest)])
  const pads = padding.flatMap((amounts) => [0, 0, ...amounts])
  return emit.node('Pad', [keys, emit.ints(pads), number(-largest)], { mode: 'constant' })
}

/** Where (int32) the window of each result begins in the flattened input; before its start where that is padding. */
function windowStarts(emit: Emitter, { stride, padding: [before], from, to }: MaxWindows): string {
  const axes = to.map((count, axis) => {
    const apart = elementsAfter(from, axis)
    const step = (stride[axis - 2] ?? 1) * apart
    const first = -(before[axis - 2] ?? 0) * apart
    const range = [first, first + count * step, step].map((value) => emit.scalar(value, 'int32'))
    const shape = to.map((_, i) => (i === axis ? count : 1))
    return emit.node('Reshape', [emit.node('Range', range), emit.ints(shape)])
  })
  return axes.reduce((sum, axis) => emit.node('Add', [sum, axis]))
}
