/** Arithmetic on numbers that are known while tracing. Exact for whole numbers up to 2^53. */
import { type DType, elementCount } from '../../../tensor/dtype.ts'
import { broadcastShapes, normalizeAxis, sizeOf, stridesOf } from '../../../tensor/shape.ts'
import { dtypeOf } from '../elements.ts'
import type { OnnxNode } from '../node.ts'
import { type Known, known } from '../values.ts'
import { at, expandKnown, type Fold, places } from './arrays.ts'

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

/** Max, Min and Sum: of any number of inputs. */
function all(combine: (a: number, b: number) => number): Fold {
  return (_node, inputs) => {
    const shape = broadcastShapes(
      'importOnnx',
      inputs.map((each) => each.shape),
    )
    const rows = inputs.map((each) => expandKnown(each, shape).data)
    const { dtype } = at(inputs, 0)
    const numbers = Array.from({ length: elementCount(shape) }, (_, i) =>
      rows.map((row) => row[i] ?? Number.NaN).reduce(combine),
    )
    return known(
      dtype,
      shape,
      numbers.map((value) => stored(dtype, value)),
    )
  }
}

/** The remainder with the divisor's sign; with fmod, that of the dividend. */
function modulo(node: OnnxNode, inputs: readonly Known[]): Known | readonly Known[] {
  const withSignOfDivisor = (a: number, b: number): number => a - b * Math.floor(a / b)
  return binary(node.flag('fmod', false) ? (a, b) => a % b : withSignOfDivisor)(node, inputs)
}

function clip(node: OnnxNode, inputs: readonly Known[]): Known | readonly Known[] {
  const [low = node.number('min', Number.NEGATIVE_INFINITY)] = node.numbers(1) ?? []
  const [high = node.number('max', Number.POSITIVE_INFINITY)] = node.numbers(2) ?? []
  return unary((x) => Math.min(Math.max(x, low), high))(node, inputs)
}

/** Running sums along an axis. */
function cumulative(node: OnnxNode, inputs: readonly Known[]): Known {
  const x = at(inputs, 0)
  const [given = 0] = node.requiredNumbers(1)
  const axis = normalizeAxis('CumSum', given, x.shape.length)
  const [size, stride] = [sizeOf(x.shape, axis), sizeOf(stridesOf(x.shape), axis)]
  const isReverse = node.flag('reverse', false)
  const isExclusive = node.flag('exclusive', false)
  const data = x.data.map((own, i) => {
    const place = Math.floor(i / stride) % size
    const before = isReverse ? size - 1 - place : place
    const step = isReverse ? stride : -stride
    const earlier = Array.from({ length: before }, (_, j) => x.data[i + (j + 1) * step] ?? Number.NaN)
    return stored(
      x.dtype,
      earlier.reduce((sum, value) => sum + value, isExclusive ? 0 : own),
    )
  })
  return known(x.dtype, x.shape, data)
}

const quotient = (a: number, b: number, dtype: DType): number => (whole(dtype) ? Math.trunc(a / b) : a / b)

/** By operator. */
export const arithmetic: Readonly<Record<string, Fold>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary(quotient),
  Pow: binary((a, b) => a ** b),
  Mod: modulo,
  Max: all((a, b) => Math.max(a, b)),
  Min: all((a, b) => Math.min(a, b)),
  Sum: all((a, b) => a + b),
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
  Sign: unary(Math.sign),
  Clip: clip,
  CumSum: cumulative,
  Cast: (node, inputs) => {
    node.ignore('saturate', 'round_mode')
    return cast(dtypeOf(node.label, node.number('to', 1)))(node, inputs)
  },
  CastLike: (node, inputs) => cast(at(inputs, 1).dtype)(node, inputs),
  ReduceProd: reduce((a, b) => a * b, 1),
  ReduceSum: reduce((a, b) => a + b, 0),
  ReduceMax: reduce(Math.max, Number.NEGATIVE_INFINITY),
  ReduceMin: reduce(Math.min, Number.POSITIVE_INFINITY),
}
