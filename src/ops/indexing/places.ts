/**
 * The rule of all index inputs: whole numbers from 0 to below the size of what they point into. ONNX counts negative ones from
 * the end, PyTorch's functions do not, but for x[i, j] (`fromEnd`). Checked where the index is known: a constant when the op is called, an argument of
 * a compiled function or a variable on the host before each call, without a pass in the graph (compile/places.ts). Only an index that
 * the function itself computes costs a comparison, unless its op says what its values are below.
 */

import { isInteger, type NDArray } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { shown } from '../../util/check.ts'
import { IndexError, ShapeError } from '../../util/errors.ts'
import { apply, defineOp, inputAt, opOf } from '../define.ts'

export interface PlacesAttributes {
  /** Whose index it is, and what one element is called: `embedding: index`. */
  readonly subject: string
  /** Elements must be below it. */
  readonly size: number
  /** A value that is allowed besides, because it marks what does not count. */
  readonly except: number | null
  /** Whether elements from -size to -1 are places, too, counted from the end. */
  readonly fromEnd: boolean
  /** Whether it was computed in a way that can give nothing else: no check. */
  readonly certain: boolean
}

/** `embedding: index must lie in 0 to 39, found 50 at [3, 7] of argument [0]`. `where`: the place, if it is known. */
export function placesMessage({ subject, size, except, fromEnd }: PlacesAttributes, found: string): string {
  const range = size === 0 ? 'cannot point into an empty axis' : `must lie in ${fromEnd ? -size : 0} to ${size - 1}`
  return `${subject} ${range}${except === null ? '' : `, or be ${except} (ignored)`}, found ${found}`
}

/** The position of the first element that is not a place; -1 if all are. */
function firstMisplaced(data: NDArray['data'], { size, except, fromEnd }: PlacesAttributes): number {
  const least = fromEnd ? -size : 0
  if (data instanceof BigInt64Array) {
    // The halves as numbers: reading whole ones would make an object of each.
    const halves = new Int32Array(data.buffer, data.byteOffset, 2 * data.length)
    for (let i = 0; i < data.length; i++) {
      const [low, high] = [halves[2 * i] ?? 0, halves[2 * i + 1]]
      if (high === 0 && low >= 0 && low < size) continue
      if (Number(data[i]) >= size || Number(data[i]) < least)
        if (except === null || Number(data[i]) !== except) return i
    }
    return -1
  }
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number
    if (!(value >= least && value < size) && value !== except) return i
  }
  return -1
}

/** Throws an IndexError that names the first element of an index that is not a place. */
export function checkPlaces({ data, shape }: NDArray, attributes: PlacesAttributes, name?: string): void {
  const at = firstMisplaced(data, attributes)
  if (at < 0) return
  const position: number[] = []
  let rest = at
  for (const size of shape.toReversed()) {
    position.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  const place = shape.length > 0 ? ` at [${position.join(', ')}]` : ''
  throw new IndexError(placesMessage(attributes, `${data[at]}${place}${name ? ` of ${name}` : ''}`))
}

/** The number that all elements of an index are known to be below (and none below 0); undefined: not known. */
function knownBound(index: Tensor): number | undefined {
  if (index.source.kind !== 'node') return undefined
  const { node, index: output } = index.source
  if (node.op === withinOp) {
    const { size, except, fromEnd } = node.attributes as PlacesAttributes
    return except === null && !fromEnd ? size : undefined
  }
  const op = opOf(node)
  if (op.bounds) return op.bounds(node)[output]
  return op.keepsValues && node.inputs[0] ? knownBound(node.inputs[0]) : undefined
}

/** The earliest tensor that has exactly the elements of this one, in any shape. */
export function sameElements(index: Tensor): Tensor {
  if (index.source.kind !== 'node') return index
  const { node } = index.source
  const [input] = node.inputs
  // Not a slice, and no broadcast into nothing: these lose elements.
  const keepsAll = input && isInteger(input.dtype) && index.size >= input.size
  return keepsAll && (node.op === withinOp || opOf(node).keepsValues) ? sameElements(input) : index
}

/** Marks its input as an index. It is not in the graph that runs: compile/places.ts replaces it by a check. */
export const withinOp = defineOp<PlacesAttributes>({
  name: 'within',
  infer: (inputs, { subject, size }) => {
    if (!Number.isInteger(size) || size < 0)
      throw new ShapeError(
        `${subject}: the number of places must be a whole number of at least 0, found ${shown(size)}`,
      )
    return [inputAt('within', inputs, 0)].map(({ dtype, shape }) => ({ dtype, shape }))
  },
  simplify: (_o, { inputs }) => inputs,
  lower: (_emit, { inputs }) => inputs,
  samples: () => [
    {
      inputs: [{ shape: [3], dtype: 'int32', values: [0, 2, 1] }],
      call: (x) => within(x, { subject: 'within: index', size: 3 }),
    },
  ],
  errors: () => [
    { inputs: [{ shape: [2], dtype: 'int32' }], call: (x) => within(x, { subject: 'within: index', size: -1 }) },
  ],
})

/** Options of `within`. */
export interface WithinOptions {
  readonly subject: string
  readonly size: number
  /** Default: none. */
  readonly except?: number
  /** Default: false. */
  readonly fromEnd?: boolean
}

/** The same index, whose elements are refused unless they are places. Throws an IndexError for a constant. */
export function within(index: Tensor, { subject, size, except, fromEnd = false }: WithinOptions): Tensor {
  const attributes = { subject, size, except: except ?? null, fromEnd, certain: false }
  const bound = knownBound(index)
  // A wrong dtype is told by the op that gets the index.
  if (!isInteger(index.dtype) || (bound !== undefined && bound <= size)) return index
  const marked = apply(withinOp, [index], attributes)
  const known = sameElements(index)
  if (known.source.kind !== 'constant') return marked
  checkPlaces(known.array, attributes)
  return index
}

/** The same index, computed so that its elements lie in 0 to size - 1: nothing is checked. */
export function certainlyWithin(index: Tensor, size: number): Tensor {
  return apply(withinOp, [index], { subject: 'index', size, except: null, fromEnd: false, certain: true })
}
