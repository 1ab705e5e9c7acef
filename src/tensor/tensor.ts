import { requireOneOf, shown } from '../util/check.ts'
import { ShapeError, TenfoldError, UsageError } from '../util/errors.ts'
import type { DType, NDArray, TypedArray } from './dtype.ts'
import { checkedArray, dtypes, elementCount, fromNumbers, toNumbers } from './dtype.ts'
import type { Origin } from './origin.ts'
import { formatNumbers, inspectSymbol, primitiveOf, refuseIteration } from './print.ts'
import type { Shape, Sizes } from './shape.ts'
import { formatShape, sizes } from './shape.ts'
import type { Variable } from './variable.ts'

/** Values of an op's attributes: what distinguishes two applications of it to the same inputs. */
export type Attributes = object

/** One application of an op. `op` is the definition itself (see `ops/define.ts`). */
export interface GraphNode {
  readonly op: { readonly name: string }
  readonly inputs: readonly Tensor[]
  readonly attributes: Attributes
  readonly outputs: readonly Tensor[]
  readonly origin: Origin
}

/** Numbers that the host supplies at every call of a compiled function: a learning rate, random bits. */
export interface Feed {
  /** `count` values for the coming call. `lane` numbers the feeds of one graph, so that two draws in it differ. */
  pull(lane: number, count: number): TypedArray
  /** Called once after all feeds of a call were pulled. Feeds that share state share this function. */
  readonly advance?: () => void
  /** Reverts `advance`, when the call is undone. */
  readonly retreat?: () => void
}

/** What defines a tensor's value. */
export type Source =
  | { readonly kind: 'node'; readonly node: GraphNode; readonly index: number }
  | { readonly kind: 'constant'; readonly data: TypedArray }
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | { readonly kind: 'feed'; readonly feed: Feed }

/** Element type and shape. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}

type Evaluator = (tensors: readonly Tensor[]) => Promise<NDArray[]>
let evaluator: Evaluator | undefined

/** Installs the function behind `Tensor.data()` for symbolic tensors; `compile/program.ts` does, when it is imported. */
export function installEvaluator(evaluate: Evaluator): void {
  evaluator = evaluate
}

/**
 * An immutable value whose shape and dtype are known when it is made. It is symbolic (a node of a graph, an input, a
 * variable) or concrete (numbers). Ops of `tenfold/ops` take and return tensors.
 */
export class Tensor implements TensorType {
  readonly dtype: DType
  readonly shape: Shape
  readonly source: Source

  constructor(dtype: DType, shape: Shape, source: Source) {
    this.dtype = dtype
    this.shape = shape
    this.source = source
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape)
  }

  /** The shape of a tensor with this number of axes, as a tuple: `const [n, c, h, w] = x.sizes(4)`. Throws a ShapeError for another. */
  sizes<R extends keyof Sizes>(rank: R): Sizes[R] {
    return sizes(this.shape, rank)
  }

  /** The numbers of a concrete tensor. Throws for a symbolic one: `await tensor.data()` evaluates it. */
  get array(): NDArray {
    if (this.source.kind === 'constant') return { dtype: this.dtype, shape: this.shape, data: this.source.data }
    throw new TenfoldError(`tensor ${this} is symbolic: it has no numbers until a compiled function returns it`, {
      hint: 'return it from the compiled function, or use `await tensor.data()` outside of compile',
    })
  }

  /** The one number of a concrete tensor with one element. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(`item: the tensor must have one element, found shape ${formatShape(this.shape)}`)
    return Number(this.array.data[0])
  }

  /** The elements as a typed array; evaluates the tensor if it is symbolic (variables with their present values). */
  async data(): Promise<TypedArray> {
    if (this.source.kind === 'constant') return this.source.data
    if (!evaluator)
      throw new TenfoldError('a symbolic tensor has no numbers where no compiler is loaded: import from "tenfold"')
    const [result] = await evaluator([this])
    if (!result) throw new TenfoldError('the runtime returned nothing')
    return result.data
  }

  /** The elements as plain numbers, in row-major order; evaluates like `data()`. */
  async numbers(): Promise<number[]> {
    return toNumbers(await this.data())
  }

  toString(): string {
    return `${this.dtype}${formatShape(this.shape)}`
  }

  /** Refuses JavaScript's operators, which would make a number or text of it; only template strings may. */
  [Symbol.toPrimitive](hint: string): string {
    return primitiveOf(this, hint)
  }

  /** What `console.log` shows in Node. */
  [inspectSymbol](): string {
    const { source } = this
    if (source.kind === 'constant') return `Tensor ${this} ${formatNumbers(this.array)}`
    return `Tensor ${this} (symbolic: ${source.kind === 'node' ? source.node.op.name : source.kind})`
  }
}

refuseIteration(Tensor)

/** Nested lists of numbers, all rows of equal length; bigints are for int64 numbers beyond 2^53. */
export type NestedNumbers = number | bigint | boolean | readonly NestedNumbers[]

/** Deeper lists are not tensors: a list that contains itself has no end. */
const deepest = 64

function flatten(values: NestedNumbers, shape: number[], depth: number, out: (number | bigint)[]): void {
  if (depth > deepest)
    throw new ShapeError(`tensor: lists may be nested ${deepest} deep, found a deeper one, or a cycle`)
  if (typeof values !== 'object') {
    if (depth !== shape.length) throw new ShapeError('tensor: nested lists must have rows of equal depth')
    out.push(elementOf(values))
    return
  }
  // From JavaScript: the type system does not help there.
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) elementOf(values)
  if (out.length === 0 && shape.length === depth) shape.push(values.length)
  if (shape[depth] !== values.length) {
    throw new ShapeError(
      `tensor: nested lists must have rows of equal length, found ${shape[depth]} and ${values.length}`,
    )
  }
  for (const value of values) flatten(value, shape, depth + 1, out)
}

function elementOf(value: unknown): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  if (typeof value === 'boolean') return Number(value)
  throw new UsageError(`tensor: elements must be numbers, found ${shown(value)}`)
}

/**
 * A concrete tensor from nested numbers (`[[1, 2], [3, 4]]`), or from an NDArray (its data is shared, not copied). A tensor is
 * returned as it is.
 * dtype: float32 unless given (an NDArray keeps its own). A number that the dtype does not hold exactly is an error.
 */
export function tensor(values: NestedNumbers | NDArray | Tensor, dtype?: DType): Tensor {
  if (typeof values === 'object' && values !== null && 'data' in values) {
    if (dtype !== undefined && dtype !== values.dtype) {
      throw new UsageError(`tensor: the array has dtype ${values.dtype}, asked for ${dtype}`, { hint: 'use cast' })
    }
    if (values instanceof Tensor) return values
    return constant(values.data, values.shape, values.dtype)
  }
  const type = dtype ?? 'float32'
  requireOneOf('tensor', 'dtype', type, dtypes, UsageError)
  const shape: number[] = []
  const out: (number | bigint)[] = []
  flatten(values, shape, 0, out)
  return constant(fromNumbers(type, out, 'tensor'), shape, type)
}

/**
 * A concrete tensor over a typed array, which is shared, not copied, and must not change afterwards: not before a call that it
 * is passed to has ended.
 */
export function constant(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  checkedArray('tensor', { dtype, shape, data })
  return new Tensor(dtype, shape, { kind: 'constant', data })
}
