/** What is computed from numbers that are known while tracing: shapes, positions, conditions. */
import { elementCount } from '../../tensor/dtype.ts'
import { normalizeAxis, type Shape, sizeOf } from '../../tensor/shape.ts'
import { arithmetic } from './folds/arithmetic.ts'
import { movement } from './folds/movement.ts'
import type { OnnxNode } from './node.ts'
import { isKnown, type Known, known, knownInts, mostKnown, simplest } from './values.ts'

/** Operators of shapes and positions: they are computed while tracing, and nowhere else. */
export const foldedOperators: readonly string[] = ['NonZero', 'Range', 'Shape', 'Size']

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

/** The outputs of a node whose inputs are all known; undefined if it is left to the compiler. */
export function fold(node: OnnxNode): readonly Known[] | undefined {
  if (node.type === 'Shape') return [shapeOf(node)]
  if (node.type === 'Size') return [known('int64', [], [elementCount(node.inputs[0]?.shape ?? [])])]
  const inputs = node.inputs.map((value) => value && simplest(value))
  const [first] = inputs
  const reshape = reshapes[node.type]
  if (reshape && isKnown(first)) return [known(first.dtype, reshape(node, first.shape), first.data)]
  const compute = arithmetic[node.type] ?? movement[node.type]
  if (!compute) return undefined
  const given = inputs.flatMap((value) => (value ? [value] : []))
  if (!given.every(isKnown) || given.length === 0) return undefined
  if (given.some(({ data }) => data.length > mostKnown)) return undefined
  return [compute(node, given)].flat()
}

function shapeOf(node: OnnxNode): Known {
  const shape = node.inputs[0]?.shape ?? []
  const end = node.has('end') ? node.number('end', 0) : shape.length
  return knownInts(shape.slice(node.number('start', 0), end))
}
