/** Operators that choose, repeat or arrange numbers that are known while tracing. */
import { elementCount } from '../../../tensor/dtype.ts'
import { broadcastShapes, normalizeAxis, sizeOf, stridesOf } from '../../../tensor/shape.ts'
import type { OnnxNode } from '../node.ts'
import { isKnown, type Known, known, simplest } from '../values.ts'
import { at, expandKnown, type Fold, places, taken } from './arrays.ts'

function gather(node: OnnxNode, inputs: readonly Known[]): Known {
  const [x, index] = [at(inputs, 0), at(inputs, 1)]
  const axis = normalizeAxis('Gather', node.number('axis', 0), x.shape.length)
  const size = sizeOf(x.shape, axis)
  const [before, after] = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis + 1))]
  const found: number[] = []
  for (let i = 0; i < before; i++) {
    for (const place of index.data) {
      const row = i * size + (place < 0 ? place + size : place)
      for (let j = 0; j < after; j++) found.push(row * after + j)
    }
  }
  return taken(x, [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)], found)
}

function concat(node: OnnxNode, inputs: readonly Known[]): Known {
  const first = at(inputs, 0)
  const axis = normalizeAxis('Concat', node.number('axis', 0), first.shape.length)
  const before = elementCount(first.shape.slice(0, axis))
  const data: number[] = []
  for (let i = 0; i < before; i++) {
    for (const part of inputs) {
      const length = part.data.length / before
      data.push(...part.data.slice(i * length, (i + 1) * length))
    }
  }
  const size = inputs.reduce((sum, part) => sum + sizeOf(part.shape, axis), 0)
  return known(
    first.dtype,
    first.shape.map((own, i) => (i === axis ? size : own)),
    data,
  )
}

/** First place, step and count of a slice, as ONNX cuts ends that lie outside. */
function sliceRange(start: number, end: number, step: number, size: number): [number, number, number] {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  const bound = (i: number): number => Math.min(Math.max(i < 0 ? i + size : i, low), high)
  const from = bound(start)
  return [from, step, Math.max(0, Math.ceil((bound(end) - from) / step))]
}

function slice(node: OnnxNode, inputs: readonly Known[]): Known {
  const x = at(inputs, 0)
  const [starts, ends] = [node.requiredNumbers(1), node.requiredNumbers(2)]
  const axes = node.numbers(3) ?? starts.map((_, i) => i)
  const steps = node.numbers(4) ?? starts.map(() => 1)
  const strides = [...stridesOf(x.shape)]
  const shape = [...x.shape]
  let offset = 0
  for (const [i, given] of axes.entries()) {
    const axis = normalizeAxis('Slice', given, x.shape.length)
    const [from, step, count] = sliceRange(starts[i] ?? 0, ends[i] ?? 0, steps[i] ?? 1, sizeOf(x.shape, axis))
    offset += from * (strides[axis] ?? 0)
    strides[axis] = (strides[axis] ?? 0) * step
    shape[axis] = count
  }
  return taken(x, shape, places(shape, strides, offset))
}

function transpose(node: OnnxNode, inputs: readonly Known[]): Known {
  const x = at(inputs, 0)
  const axes = node.list('perm') ?? x.shape.map((_, i) => x.shape.length - 1 - i)
  const strides = stridesOf(x.shape)
  const shape = axes.map((axis) => sizeOf(x.shape, axis))
  return taken(
    x,
    shape,
    places(
      shape,
      axes.map((axis) => strides[axis] ?? 0),
    ),
  )
}

function nonZero(_node: OnnxNode, inputs: readonly Known[]): Known {
  const x = at(inputs, 0)
  const strides = stridesOf(x.shape)
  const found = x.data.flatMap((value, i) => (value === 0 ? [] : [i]))
  const axes = x.shape.map((size, axis) => found.map((i) => Math.floor(i / (strides[axis] ?? 1)) % size))
  return known('int64', [x.shape.length, found.length], axes.flat())
}

function where(_node: OnnxNode, inputs: readonly Known[]): Known {
  const [condition, a, b] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)]
  const shape = broadcastShapes('Where', [condition.shape, a.shape, b.shape])
  const [chosen, left, right] = [expandKnown(condition, shape), expandKnown(a, shape), expandKnown(b, shape)]
  return known(
    a.dtype,
    shape,
    chosen.data.map((flag, i) => (flag ? left : right).data[i] ?? Number.NaN),
  )
}

function range(_node: OnnxNode, inputs: readonly Known[]): Known {
  const [start = 0, limit = 0, delta = 1] = inputs.map(({ data }) => data[0] ?? 0)
  const length = Math.max(0, Math.ceil((limit - start) / delta))
  return known(
    at(inputs, 0).dtype,
    [length],
    Array.from({ length }, (_, i) => start + i * delta),
  )
}

function tile(node: OnnxNode, inputs: readonly Known[]): Known {
  const x = at(inputs, 0)
  const repeats = node.requiredNumbers(1)
  // Each axis as (repeats, size), the copies along the first.
  const pairs = x.shape.flatMap((size, axis) => [repeats[axis] ?? 1, size])
  const strides = stridesOf(x.shape).flatMap((stride) => [0, stride])
  return taken(
    x,
    x.shape.map((size, axis) => size * (repeats[axis] ?? 1)),
    places(pairs, strides),
  )
}

function split(node: OnnxNode, inputs: readonly Known[]): readonly Known[] {
  const x = at(inputs, 0)
  const axis = normalizeAxis('Split', node.number('axis', 0), x.shape.length)
  const strides = stridesOf(x.shape)
  let start = 0
  return splitSizes(node, sizeOf(x.shape, axis)).map((size) => {
    const shape = x.shape.map((own, i) => (i === axis ? size : own))
    const offset = start * sizeOf(strides, axis)
    start += size
    return taken(x, shape, places(shape, strides, offset))
  })
}

/** Sizes of the parts into which Split cuts an axis of a size. */
export function splitSizes(node: OnnxNode, size: number): readonly number[] {
  const count = node.number('num_outputs', node.outputs.length)
  const chunk = Math.ceil(size / count)
  const equal = Array.from({ length: count }, (_, i) => Math.max(0, Math.min(chunk, size - i * chunk)))
  return node.list('split') ?? node.numbers(1) ?? equal
}

/** By operator. */
export const movement: Readonly<Record<string, Fold>> = {
  Tile: tile,
  Split: split,
  Identity: (_node, inputs) => at(inputs, 0),
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Transpose: transpose,
  Where: where,
  Range: range,
  NonZero: nonZero,
  Expand: (_node, inputs) => {
    const [x, target] = [at(inputs, 0), at(inputs, 1)]
    return expandKnown(x, broadcastShapes('Expand', [x.shape, target.data]))
  },
  ConstantOfShape: (node, inputs) => {
    const shape = at(inputs, 0).data
    const filler = node.attributeTensor('value')
    const value = filler && simplest(filler)
    const element = isKnown(value) ? value : known('float32', [1], [0])
    return known(element.dtype, shape, new Array<number>(elementCount(shape)).fill(element.data[0] ?? 0))
  },
}
