/** What is computed from numbers that are known while tracing: shapes, positions, conditions. Exact for whole numbers up to 2^53. */
import { type DType, elementCount } from '../../tensor/dtype.ts'
import { broadcastShapes, normalizeAxis, type Shape, sizeOf, stridesOf } from '../../tensor/shape.ts'
import { dtypeOf } from './elements.ts'
import type { OnnxNode } from './node.ts'
import { isKnown, type Known, known, knownInts, mostKnown, simplest } from './values.ts'

type Fold = (node: OnnxNode, inputs: readonly Known[]) => Known

/** Where element `i` of a tensor of this shape comes from in one of another shape, by the strides of its axes. */
function places(shape: Shape, strides: readonly number[], start = 0): number[] {
  let found = [start]
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] ?? 0
    found = found.flatMap((place) => Array.from({ length: size }, (_, i) => place + i * stride))
  }
  return found
}

function taken(value: Known, shape: Shape, at: readonly number[]): Known {
  return known(
    value.dtype,
    shape,
    at.map((i) => value.data[i] ?? Number.NaN),
  )
}

/** A known value repeated to a shape. */
function expandKnown(value: Known, shape: Shape): Known {
  const offset = shape.length - value.shape.length
  const own = stridesOf(value.shape)
  const strides = shape.map((_, axis) => (value.shape[axis - offset] === 1 ? 0 : (own[axis - offset] ?? 0)))
  return taken(value, shape, places(shape, strides))
}

const whole = (dtype: DType): boolean => dtype !== 'float32'

/** The result of an operation on numbers in the type of elements. */
function stored(dtype: DType, value: number): number {
  if (dtype === 'bool') return Number(value !== 0)
  if (dtype === 'float32') return Math.fround(value)
  if (dtype === 'int32') return value | 0
  return dtype === 'uint8' ? value & 255 : value
}

function binary(compute: (a: number, b: number, dtype: DType) => number, result?: DType): Fold {
  return (_node, [a, b]) => {
    if (!a || !b) throw new Error('two inputs')
    const shape = broadcastShapes('importOnnx', [a.shape, b.shape])
    const [left, right] = [expandKnown(a, shape), expandKnown(b, shape)]
    const dtype = result ?? a.dtype
    return known(
      dtype,
      shape,
      left.data.map((value, i) => stored(dtype, compute(value, right.data[i] ?? Number.NaN, a.dtype))),
    )
  }
}

function unary(compute: (x: number) => number, result?: DType): Fold {
  return (_node, [x]) => {
    if (!x) throw new Error('one input')
    const dtype = result ?? x.dtype
    return known(
      dtype,
      x.shape,
      x.data.map((value) => stored(dtype, compute(value))),
    )
  }
}

const truth =
  (compare: (a: number, b: number) => boolean) =>
  (a: number, b: number): number =>
    Number(compare(a, b))

function cast(to: DType): Fold {
  return unary((x) => (whole(to) && to !== 'bool' ? Math.trunc(x) : x), to)
}

function reshaped(value: Known, shape: Shape): Known {
  return known(value.dtype, shape, value.data)
}

function at(inputs: readonly Known[], i: number): Known {
  const found = inputs[i]
  if (!found) throw new Error(`no input ${i}`)
  return found
}

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

function reduce(combine: (a: number, b: number) => number, start: number): Fold {
  return (node, inputs) => {
    const x = at(inputs, 0)
    const first = x.dtype === 'bool' ? Math.min(1, Math.max(0, start)) : start
    const axes = node.list('axes') ?? node.numbers(1)
    const keeps = node.flag('keepdims', true)
    if (!axes?.length && node.flag('noop_with_empty_axes', false)) return x
    const reduced = new Set(
      (axes?.length ? axes : x.shape.map((_, i) => i)).map((axis) => normalizeAxis('Reduce', axis, x.shape.length)),
    )
    const strides = stridesOf(x.shape)
    const inner = x.shape.filter((_, i) => reduced.has(i))
    const outer = x.shape.filter((_, i) => !reduced.has(i))
    const steps = strides.filter((_, i) => reduced.has(i))
    const starts = places(
      outer,
      strides.filter((_, i) => !reduced.has(i)),
    )
    const data = starts.map((from) =>
      places(inner, steps, from).reduce((sum, i) => combine(sum, x.data[i] ?? Number.NaN), first),
    )
    const shape = keeps ? x.shape.map((size, i) => (reduced.has(i) ? 1 : size)) : outer
    return known(x.dtype, shape, data)
  }
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

const quotient = (a: number, b: number, dtype: DType): number => (whole(dtype) ? Math.trunc(a / b) : a / b)

const folds: Readonly<Record<string, Fold>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary(quotient),
  Pow: binary((a, b) => a ** b),
  Equal: binary(
    truth((a, b) => a === b),
    'bool',
  ),
  Greater: binary(
    truth((a, b) => a > b),
    'bool',
  ),
  GreaterOrEqual: binary(
    truth((a, b) => a >= b),
    'bool',
  ),
  Less: binary(
    truth((a, b) => a < b),
    'bool',
  ),
  LessOrEqual: binary(
    truth((a, b) => a <= b),
    'bool',
  ),
  And: binary(
    truth((a, b) => a !== 0 && b !== 0),
    'bool',
  ),
  Or: binary(
    truth((a, b) => a !== 0 || b !== 0),
    'bool',
  ),
  Xor: binary(
    truth((a, b) => (a !== 0) !== (b !== 0)),
    'bool',
  ),
  Not: unary((x) => Number(x === 0)),
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Sqrt: unary(Math.sqrt),
  Cast: (node, inputs) => {
    node.ignore('saturate', 'round_mode')
    return cast(dtypeOf(node.label, node.number('to', 1)))(node, inputs)
  },
  CastLike: (node, inputs) => cast(at(inputs, 1).dtype)(node, inputs),
  Identity: (_node, inputs) => at(inputs, 0),
  Gather: gather,
  Concat: concat,
  Slice: slice,
  Transpose: transpose,
  Where: where,
  Range: range,
  NonZero: nonZero,
  ReduceProd: reduce((a, b) => a * b, 1),
  ReduceSum: reduce((a, b) => a + b, 0),
  ReduceMax: reduce(Math.max, Number.NEGATIVE_INFINITY),
  ReduceMin: reduce(Math.min, Number.POSITIVE_INFINITY),
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

/** Operators that only give their first input another shape. */
export const reshapes: Readonly<Record<string, (node: OnnxNode, shape: Shape) => Shape>> = {
  Reshape: (node, shape) => {
    const target = node.requiredNumbers(1)
    const copies = !node.flag('allowzero', false)
    const sizes = target.map((size, i) => (size === 0 && copies ? sizeOf(shape, i) : size))
    const rest = elementCount(sizes.filter((size) => size !== -1))
    return sizes.map((size) => (size === -1 ? elementCount(shape) / (rest || 1) : size))
  },
  Flatten: (node, shape) => {
    const given = node.number('axis', 1)
    const axis = given < 0 ? given + shape.length : given
    return [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))]
  },
  Squeeze: (node, shape) => {
    const axes = (node.list('axes') ?? node.numbers(1))?.map((axis) => normalizeAxis('Squeeze', axis, shape.length))
    return shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1))
  },
  Unsqueeze: (node, shape) => {
    const given = node.list('axes') ?? node.requiredNumbers(1)
    const rank = shape.length + given.length
    const axes = given.map((axis) => normalizeAxis('Unsqueeze', axis, rank))
    let next = 0
    return Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (shape[next++] ?? 1)))
  },
}

/** The result of a node whose inputs are all known; undefined if it is left to the compiler. */
export function fold(node: OnnxNode): Known | undefined {
  if (node.type === 'Shape') return shapeOf(node)
  if (node.type === 'Size') return known('int64', [], [elementCount(node.inputs[0]?.shape ?? [])])
  const inputs = node.inputs.map((value) => value && simplest(value))
  const [first] = inputs
  const reshape = reshapes[node.type]
  if (reshape && isKnown(first)) return reshaped(first, reshape(node, first.shape))
  const compute = folds[node.type]
  if (!compute) return undefined
  const given = inputs.flatMap((value) => (value ? [value] : []))
  if (!given.every(isKnown) || given.length === 0) return undefined
  if (given.some(({ data }) => data.length > mostKnown)) return undefined
  return compute(node, given)
}

function shapeOf(node: OnnxNode): Known {
  const shape = node.inputs[0]?.shape ?? []
  const end = node.has('end') ? node.number('end', 0) : shape.length
  return knownInts(shape.slice(node.number('start', 0), end))
}
