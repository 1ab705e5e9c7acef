/** Resize: every axis by itself, as a choice of elements or as a product with weights that follow from the sizes. */
import * as ops from '../../../ops/index.ts'
import { normalizeAxis, sizeOf } from '../../../tensor/shape.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { OnnxNode } from '../node.ts'
import { asTensor, known } from '../values.ts'
import type { Operators } from './types.ts'

/** One axis of a resize. */
interface Axis {
  readonly axis: number
  readonly input: number
  readonly output: number
  readonly scale: number
  /** scale * input: the output's length before it is cut to a whole number. */
  readonly length: number
  /** First and last place of the region for tf_crop_and_resize, as parts of the axis. */
  readonly region: readonly [number, number]
}

/** The place in the input of place i of the output. */
function placeOf(
  node: OnnxNode,
  mode: string,
  { input, output, scale, length, region: [start, end] }: Axis,
  i: number,
): number {
  switch (mode) {
    case 'half_pixel':
      return (i + 0.5) / scale - 0.5
    case 'pytorch_half_pixel':
      return length > 1 ? (i + 0.5) / scale - 0.5 : 0
    case 'align_corners':
      return length === 1 ? 0 : (i * (input - 1)) / (length - 1)
    case 'asymmetric':
      return i / scale
    case 'half_pixel_symmetric': {
      const adjustment = output / length
      const center = input / 2
      return center * (1 - adjustment) + (i + 0.5) / scale - 0.5
    }
    case 'tf_crop_and_resize':
      if (output > 1) return start * (input - 1) + (i * (end - start) * (input - 1)) / (length - 1)
      return 0.5 * (start + end) * (input - 1)
    default:
      return node.fail(`the coordinate mode ${mode} is not supported`)
  }
}

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

function cubic(t: number, a: number): number {
  const d = Math.abs(t)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0
}

interface Filter {
  readonly mode: string
  readonly coefficient: number
  readonly excludesOutside: boolean
  readonly antialias: boolean
}

/** Places of the input that one place of the output sees, and their weights, whose sum is 1. */
function weightsAt(place: number, { input, scale }: Axis, filter: Filter): [number, number][] {
  const widened = filter.antialias && scale < 1 ? scale : 1
  const radius = (filter.mode === 'cubic' ? 2 : 1) / widened
  const shape = (t: number): number =>
    filter.mode === 'cubic' ? cubic(t * widened, filter.coefficient) : Math.max(0, 1 - Math.abs(t * widened))
  const seen: [number, number][] = []
  for (let i = Math.floor(place - radius) + 1; i <= Math.floor(place + radius); i++) {
    const outside = i < 0 || i >= input
    if (outside && filter.excludesOutside) continue
    seen.push([Math.min(Math.max(i, 0), input - 1), shape(i - place)])
  }
  const total = seen.reduce((sum, [, weight]) => sum + weight, 0)
  return seen.map(([i, weight]) => [i, weight / total])
}

function interpolated(x: Tensor, axis: Axis, places: readonly number[], filter: Filter): Tensor {
  const matrix = new Array<number>(axis.output * axis.input).fill(0)
  for (const [row, place] of places.entries()) {
    for (const [column, weight] of weightsAt(place, axis, filter)) {
      const at = row * axis.input + column
      matrix[at] = (matrix[at] ?? 0) + weight
    }
  }
  const weights = asTensor(known('float32', [axis.output, axis.input], matrix))
  if (axis.axis === x.rank - 2) return ops.matmul(weights, x)
  return ops.moveAxis(ops.matmul(ops.moveAxis(x, axis.axis, -1), ops.transpose(weights)), -1, axis.axis)
}

/** Whatever lies outside of the input has the extrapolation value. */
function extrapolated(x: Tensor, { axis, input }: Axis, places: readonly number[], value: number): Tensor {
  const outside = places.map((place) => Number(place < 0 || place > input - 1))
  if (outside.every((flag) => flag === 0)) return x
  const mask = asTensor(
    known(
      'bool',
      x.shape.map((_, i) => (i === axis ? places.length : 1)),
      outside,
    ),
  )
  return ops.where(mask, value, x)
}

function axesOf(node: OnnxNode, x: Tensor, coordinates: string): Axis[] {
  const axes = (node.list('axes') ?? x.shape.map((_, i) => i)).map((axis) => normalizeAxis(node.type, axis, x.rank))
  const policy = node.text('keep_aspect_ratio_policy', 'stretch')
  const scales = node.inputs[2]?.shape[0] ? node.numbers(2) : undefined
  const sizes = node.inputs[3] ? node.numbers(3) : undefined
  const region = node.inputs[1]?.shape[0] ? node.numbers(1) : undefined
  const inputs = axes.map((axis) => sizeOf(x.shape, axis))
  const free = sizes?.map((size, i) => size / (inputs[i] ?? 1)) ?? []
  const common = policy === 'not_larger' ? Math.min(...free) : Math.max(...free)
  return axes.map((axis, i) => {
    const input = inputs[i] ?? 1
    const [start, end] = [region?.[i] ?? 0, region?.[i + axes.length] ?? 1]
    const parts = { axis, input, region: [start, end] as const }
    const kept = coordinates === 'tf_crop_and_resize' ? end - start : 1
    const scale = sizes ? (policy === 'stretch' ? (sizes[i] ?? input) / input : common) : (scales?.[i] ?? 1)
    const length = sizes ? scale * input : scale * input * kept
    const rounded = Math.floor(policy === 'stretch' ? length : length + 0.5)
    return { ...parts, scale, length, output: sizes && policy === 'stretch' ? (sizes[i] ?? input) : rounded }
  })
}

function resize(node: OnnxNode): Tensor {
  const x = node.tensor(0)
  const mode = node.text('mode', 'nearest')
  const coordinates = node.text('coordinate_transformation_mode', 'half_pixel')
  const rounding = roundings[node.text('nearest_mode', 'round_prefer_floor')] ?? Math.round
  const filter = {
    mode,
    coefficient: node.number('cubic_coeff_a', -0.75),
    excludesOutside: node.flag('exclude_outside', false),
    antialias: node.flag('antialias', false),
  }
  const extrapolation = node.number('extrapolation_value', 0)
  return axesOf(node, x, coordinates).reduce<Tensor>((result, axis) => {
    if (axis.input === axis.output && axis.scale === 1 && coordinates !== 'tf_crop_and_resize') return result
    const places = Array.from({ length: axis.output }, (_, i) => placeOf(node, coordinates, axis, i))
    const bound = (i: number): number => Math.min(Math.max(i, 0), axis.input - 1)
    const found =
      mode === 'nearest'
        ? ops.indexSelect(
            result,
            asTensor(
              known(
                'int64',
                [axis.output],
                places.map((place) => bound(rounding(place))),
              ),
            ),
            axis.axis,
          )
        : interpolated(result, axis, places, filter)
    return coordinates === 'tf_crop_and_resize' ? extrapolated(found, axis, places, extrapolation) : found
  }, x)
}

export const resizing: Operators = { Resize: resize }
