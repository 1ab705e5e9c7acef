/** Operators that move, repeat or cut elements. */
import * as ops from '../../../ops/index.ts'
import { elementCount } from '../../../tensor/dtype.ts'
import { broadcastShapes, normalizeAxis, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { reshapes } from '../fold.ts'
import { splitSizes } from '../folds/movement.ts'
import type { OnnxNode } from '../node.ts'
import { asTensor, isKnown, known, simplest } from '../values.ts'
import type { Operators } from './types.ts'

function reshape(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const shape = reshapes[node.type]?.(node, x.shape) ?? x.shape
  return ops.reshape(x, shape)
}

function slice(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const [starts, ends] = [node.requiredNumbers(1), node.requiredNumbers(2)]
  const axes = node.numbers(3) ?? starts.map((_, i) => i)
  const steps = node.numbers(4) ?? starts.map(() => 1)
  return axes.reduce<Tensor>((part, axis, i) => {
    const size = sizeOf(x.shape, normalizeAxis(node.type, axis, x.rank))
    // The largest int64 stands for no end: as a number of the size's order it means the same.
    const near = (end: number): number => Math.min(Math.max(end, -size - 1), size)
    return ops.slice(part, [near(starts[i] ?? 0), near(ends[i] ?? 0), steps[i] ?? 1], axis)
  }, x)
}

function split(node: OnnxNode): readonly Tensor[] {
  const x = node.tensor(0)
  const axis = normalizeAxis(node.type, node.number('axis', 0), x.rank)
  return ops.split(x, splitSizes(node, sizeOf(x.shape, axis)), axis)
}

const padModes = { constant: 'constant', reflect: 'reflect', edge: 'replicate', wrap: 'circular' } as const

function pad(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const pads = node.requiredNumbers(1)
  const [value = 0] = node.numbers(2) ?? []
  const axes = (node.numbers(3) ?? x.shape.map((_, i) => i)).map((axis) => normalizeAxis(node.type, axis, x.rank))
  const mode = padModes[node.text('mode', 'constant') as keyof typeof padModes]
  if (!mode) node.fail(`the mode ${node.text('mode', '')} is not supported`)
  const both = x.shape.map((_, axis): readonly [number, number] => {
    const i = axes.indexOf(axis)
    return i < 0 ? [0, 0] : [pads[i] ?? 0, pads[i + axes.length] ?? 0]
  })
  // As PyTorch has it: the last axis first, and no axes without padding at the end.
  const list = [...both].reverse().flat()
  while (list.length > 0 && list.at(-1) === 0 && list.at(-2) === 0) list.splice(-2)
  if (list.length === 0) return x
  if (x.dtype === 'bool') return ops.cast(ops.pad(ops.cast(x, 'int32'), list, { mode, value }), 'bool')
  return ops.pad(x, list, mode === 'constant' ? { mode, value } : { mode })
}

function blocks(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const size = node.number('blocksize', 1)
  const [n, c, h, w] = x.sizes(4)
  if (node.type === 'SpaceToDepth') {
    const parts = ops.reshape(x, [n, c, h / size, size, w / size, size])
    return ops.reshape(ops.permute(parts, [0, 3, 5, 1, 2, 4]), [n, c * size * size, h / size, w / size])
  }
  const channels = c / (size * size)
  const columnsFirst = node.text('mode', 'DCR') === 'CRD'
  const parts = ops.reshape(x, columnsFirst ? [n, channels, size, size, h, w] : [n, size, size, channels, h, w])
  const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
  return ops.reshape(ops.permute(parts, order), [n, channels, h * size, w * size])
}

function triangle(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const [diagonal = 0] = node.numbers(1) ?? []
  const [rows, columns] = [sizeOf(x.shape, -2), sizeOf(x.shape, -1)]
  const upper = node.flag('upper', true)
  const data = Array.from({ length: rows * columns }, (_, i) => {
    const offset = (i % columns) - Math.floor(i / columns)
    return Number(upper ? offset >= diagonal : offset <= diagonal)
  })
  const mask = asTensor(known('bool', [rows, columns], data))
  if (x.dtype === 'bool') return ops.logicalAnd(x, mask)
  return ops.where(mask, x, asTensor(known(x.dtype, [], [0])))
}

function constant(node: OnnxNode) {
  const value = node.attributeTensor('value')
  if (value) return value
  if (node.has('value_float')) return known('float32', [], [node.number('value_float', 0)])
  if (node.has('value_int')) return known('int64', [], [node.number('value_int', 0)])
  for (const [name, dtype] of [
    ['value_floats', 'float32'],
    ['value_ints', 'int64'],
  ] as const) {
    const list = node.list(name)
    if (list) return known(dtype, [list.length], list)
  }
  return node.fail('this kind of constant is not supported')
}

function filled(node: OnnxNode): Tensor {
  const shape = node.requiredNumbers(0)
  const given = node.attributeTensor('value')
  const value = given && simplest(given)
  const element = isKnown(value) ? value : known('float32', [1], [0])
  return ops.expand(
    ops.reshape(
      asTensor(element),
      shape.map(() => 1),
    ),
    shape,
  )
}

function identity(node: OnnxNode): Tensor {
  const [rows, columns] = node.tensor(0).sizes(2)
  const offset = node.number('k', 0)
  node.ignore('dtype')
  const data = Array.from({ length: elementCount([rows, columns]) }, (_, i) =>
    Number((i % columns) - Math.floor(i / columns) === offset),
  )
  return asTensor(
    known(node.has('dtype') && node.number('dtype', 1) === 7 ? 'int64' : 'float32', [rows, columns], data),
  )
}

export const movement: Operators = {
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Transpose: (node) => {
    const x = node.tensor(0)
    return ops.permute(x, node.list('perm') ?? x.shape.map((_, i) => x.rank - 1 - i))
  },
  Expand: (node) => {
    const x = node.tensor(0)
    return ops.broadcastTo(x, broadcastShapes(node.label, [x.shape, node.requiredNumbers(1)]))
  },
  Tile: (node) => ops.tile(node.tensor(0), node.requiredNumbers(1)),
  Concat: (node) => {
    const parts = node.tensors()
    return ops.concat(parts, node.number('axis', 0))
  },
  Slice: slice,
  Split: split,
  Pad: pad,
  DepthToSpace: blocks,
  SpaceToDepth: blocks,
  Trilu: triangle,
  Constant: constant,
  ConstantOfShape: filled,
  EyeLike: identity,
}
