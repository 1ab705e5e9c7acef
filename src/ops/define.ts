import type { DType, TypedArray } from '../tensor/dtype.ts'
import { describeNumbers, fromNumbers, holdsNumber, numberHint } from '../tensor/dtype.ts'
import { noTensor } from '../tensor/operand.ts'
import { calledOp, captureOrigin, describeOrigin } from '../tensor/origin.ts'
import type { Shape } from '../tensor/shape.ts'
import { type Attributes, constant, type GraphNode, Tensor, type TensorType } from '../tensor/tensor.ts'
import { Variable } from '../tensor/variable.ts'
import { requireList } from '../util/check.ts'
import { IndexError, ShapeError, TenfoldError } from '../util/errors.ts'
import type * as Kit from './gradient-kit.ts'

/** The ops that are handed to gradients: families whose gradients need each other stay free of import cycles. */
export type Ops = typeof Kit

/** What ops accept in place of a tensor; a number takes the dtype of the other operands (docs/decisions/031). */
export type Operand = Tensor | Variable | number

/** An attribute of an ONNX node. A plain number is an integer; a float is marked. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }

/** What a lowering writes ONNX nodes with. Values are named by strings. */
export interface Emitter {
  /** Whether kernels of ONNX Runtime outside of the standard (com.microsoft) may be used. */
  readonly fused: boolean
  /** Whether there is a kernel, or `float64`, where the model will run; asked of what not every runtime has (`Runtime.hasKernel`). */
  has(type: string): boolean
  /** Channels in one block of the runtime's blocked convolutions on this machine; 1: none, or the model must run elsewhere too. */
  readonly channelBlock: number
  /** Whether weights are stored in the model: then the runtime takes its blocked convolutions by itself, and puts weights in order once. */
  readonly storesWeights: boolean
  /** Whether the model is for these sizes alone: else the same nodes must be written at others, with constants that can be told from the sizes. */
  readonly oneSize: boolean
  /** Adds a node with one output and returns its name. An empty input name is an omitted optional input. */
  node(type: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain?: string): string
  /** Adds a node with several outputs; unused optional ones may be dropped by the emitter. */
  nodes(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Record<string, OnnxAttribute>,
    domain?: string,
  ): string[]
  /** The name of a constant; equal constants are stored once. */
  constant(dtype: DType, shape: Shape, data: TypedArray): string
  /** A one-dimensional int64 constant: the form in which ONNX takes shapes and axes. */
  ints(values: readonly number[]): string
  /** A scalar constant. */
  scalar(value: number, dtype: DType): string
  /** Converts to another element type. */
  cast(input: string, to: DType): string
  /** A value as float64, or a scalar constant: tensors cannot have this type, but values inside of an op can. Throws where it is lacking. */
  double(value: string | number): string
  /**
   * Runs nodes `rounds` times: one ONNX Loop, however many rounds. `body` writes them once, from the number of the round
   * (int64, a scalar) and the states, which are float64; it may use any value from outside. Results: the last states, then what each round
   * gives beside them, stacked along a new first axis.
   */
  loop(
    rounds: number,
    states: readonly string[],
    body: (round: string, states: readonly string[]) => { states: readonly string[]; stacked: readonly string[] },
  ): string[]
}

/** What gradients and lowerings see of a node. */
export interface GradientContext<A> {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attributes: A
}

export interface LoweringContext<A> {
  /** Names of the inputs. */
  readonly inputs: readonly string[]
  readonly inputTypes: readonly TensorType[]
  readonly outputTypes: readonly TensorType[]
  /** Whether each output is used by anything. */
  readonly used: readonly boolean[]
  readonly attributes: A
}

/** Arguments with which tests call an op: random tensors of these types, passed to `call`. */
export interface Sample {
  readonly inputs: readonly SampleInput[]
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[]
  /** false where the function has no second derivative worth checking (kinks, piecewise linear). Default: true. */
  readonly smooth?: boolean
}

/** A shape (float32, values in [-1, 1]), or the whole description. `values` fixes the numbers. */
export type SampleInput =
  | Shape
  | {
      readonly shape: Shape
      readonly dtype?: DType
      readonly range?: readonly [number, number]
      readonly values?: readonly number[]
    }

/** Everything tenfold knows of one op. */
export interface OpDefinition<A extends Attributes = Attributes> {
  readonly name: string
  /** Shape rule: output types from input types, or a ShapeError. */
  readonly infer: (inputs: readonly TensorType[], attributes: A) => readonly TensorType[]
  /**
   * Gradients of the inputs from those of the outputs (undefined: no gradient flows; nor does it to inputs beyond the list). Absent: not
   * differentiable.
   */
  readonly gradient?: (
    o: Ops,
    context: GradientContext<A>,
    outputGradients: readonly (Tensor | undefined)[],
  ) => readonly (Tensor | undefined)[]
  /** Names of the outputs in the ONNX graph. */
  readonly lower: (emit: Emitter, context: LoweringContext<A>) => string | readonly string[]
  /** A simpler tensor for each output, if there is one. */
  readonly simplify?: (o: Ops, context: GradientContext<A>) => readonly Tensor[] | undefined
  /** Multiplications followed by an addition that one application does. Absent: not worth counting (elementwise). */
  readonly multiplyAdds?: (context: GradientContext<A>) => number
  /** For each output that is an index: what its elements are below, being at least 0. */
  readonly bounds?: (context: GradientContext<A>) => readonly (number | undefined)[]
  /** true: every element of the output is an element of the first input. */
  readonly keepsValues?: boolean
  /** true: two applications with equal inputs must not be merged. */
  readonly opaque?: boolean
  /** Calls that the tests check in every way. */
  readonly samples: () => readonly Sample[]
  /** Calls that must end in a ShapeError: bad shapes, dtypes, arguments. */
  readonly errors: (() => readonly Sample[]) | 'every tensor is valid'
}

/** Declares an op. The registry is what `ops/kit.ts` exports. */
export function defineOp<A extends Attributes>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition
}

export function isOpDefinition(value: unknown): value is OpDefinition {
  return typeof value === 'object' && value !== null && 'infer' in value && 'lower' in value && 'samples' in value
}

/** The definition a node carries. Nodes are made by `applyAll` only, so the op always is one. */
export function opOf(node: GraphNode): OpDefinition {
  return node.op as OpDefinition
}

function located(error: unknown): unknown {
  const kind = error instanceof ShapeError ? ShapeError : error instanceof IndexError ? IndexError : undefined
  if (!kind || !(error instanceof TenfoldError)) return error
  const origin = captureOrigin()
  const [place, called] = [describeOrigin(origin), calledOp(origin)]
  if (!place || error.message.includes('\n')) return error
  // What is made of ops fails in one of them: the message is that op's, the name of what was called stands beside the place.
  const through = called && !error.message.startsWith(`${called}:`) ? `${called} at ` : ''
  return new kind(`${error.message}\n  in ${through}${place}`, error.hint === undefined ? {} : { hint: error.hint })
}

/** Runs `check`, adding to its ShapeError the module and line that called the op. */
export function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw located(error)
  }
}

/** Applies an op and returns all its outputs. */
export function applyAll<A extends Attributes>(
  op: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: A,
): readonly Tensor[] {
  const types = checked(() => op.infer(inputs, attributes))
  const outputs: Tensor[] = []
  const node: GraphNode = { op, inputs, attributes, outputs, origin: captureOrigin() }
  for (const [index, type] of types.entries())
    outputs.push(new Tensor(type.dtype, type.shape, { kind: 'node', node, index }))
  return outputs
}

/** Applies an op and returns its first output. */
export function apply<A extends Attributes>(op: OpDefinition<A>, inputs: readonly Tensor[], attributes: A): Tensor {
  return first(applyAll(op, inputs, attributes))
}

/** The first tensor of a list that cannot be empty. */
export function first(tensors: readonly Tensor[]): Tensor {
  const [tensor] = tensors
  if (!tensor) throw new ShapeError('expected at least one tensor, found none')
  return tensor
}

/** A constant scalar of a number that the dtype holds. */
export function scalar(value: number | bigint, dtype: DType = 'float32', owner = 'scalar'): Tensor {
  return constant(fromNumbers(dtype, [value], owner), [], dtype)
}

/** Whether an operand has a dtype: it is not a plain number. */
export function isTensorLike(operand: unknown): operand is Tensor | Variable {
  return operand instanceof Tensor || operand instanceof Variable
}

function asTensor(op: string, operand: Operand, dtype: DType): Tensor {
  if (operand instanceof Variable) return operand.value
  if (operand instanceof Tensor) return operand
  if (typeof operand !== 'number') throw noTensor(op, operand)
  if (holdsNumber(dtype, operand)) return scalar(operand, dtype)
  throw new ShapeError(`${op}: a number used with ${dtype} must be ${describeNumbers(dtype)}, found ${operand}`, {
    hint:
      dtype === 'int64' && Number.isInteger(operand)
        ? numberHint(dtype, operand)
        : "cast(x, 'float32') converts the tensor",
  })
}

/**
 * Turns operands into tensors. A number becomes a scalar of the dtype that the tensors among them have (float32 if there
 * are none); one that this dtype cannot hold exactly is an error, not another number.
 */
export function toTensors<const T extends readonly Operand[]>(
  op: string,
  operands: T,
): { -readonly [K in keyof T]: Tensor } {
  const dtype = operands.find(isTensorLike)?.dtype ?? 'float32'
  // As many tensors as operands: the type of `map` does not say so.
  return checked(() => operands.map((operand) => asTensor(op, operand, dtype))) as { -readonly [K in keyof T]: Tensor }
}

/** Two operands as tensors: a number takes the dtype of the other one. */
export function toTensorPair(op: string, a: Operand, b: Operand): readonly [Tensor, Tensor] {
  return toTensors(op, [a, b])
}

/** An operand of `op` as a tensor; a number is a float32 scalar. */
export function toTensor(op: string, operand: Operand): Tensor {
  return checked(() => asTensor(op, operand, 'float32'))
}

/** A list of operands, each as a tensor. */
export function toTensorList(op: string, argument: string, operands: readonly Operand[]): Tensor[] {
  return checked(() => {
    requireList(op, argument, operands)
    return operands.map((operand) => asTensor(op, operand, 'float32'))
  })
}

/** An operand of a function that only float32 has, like most that are made of exponentials and quotients. */
export function toFloat(op: string, operand: Operand, argument = 'input'): Tensor {
  return checked(() => {
    const tensor = asTensor(op, operand, 'float32')
    requireDType(op, argument, tensor, ['float32'])
    return tensor
  })
}

/** The number a scalar constant holds, else undefined: for simplification rules. */
export function constantValue(tensor: Tensor | undefined): number | undefined {
  if (tensor?.source.kind !== 'constant' || tensor.size !== 1) return undefined
  return Number(tensor.source.data[0])
}

/** Throws unless the input has one of the dtypes. */
export function requireDType(op: string, argument: string, input: TensorType, allowed: readonly DType[]): void {
  if (allowed.includes(input.dtype)) return
  throw new ShapeError(`${op}: ${argument} must be ${allowed.join(' or ')}, found ${input.dtype}`, {
    hint: `cast(${argument}, '${allowed[0]}') converts it`,
  })
}

/** Empty outputs, as constants: not all of the runtime's kernels handle them. */
export function emitConstants(emit: Emitter, outputs: readonly TensorType[], value = 0): string[] {
  return outputs.map(({ dtype, shape }) => emit.node('Expand', [emit.scalar(value, dtype), emit.ints(shape)]))
}

/** A value of the graph in another shape, of as many elements; -1 once for the size that follows from the others. */
export function emitReshape(emit: Emitter, x: string, shape: readonly number[]): string {
  return emit.node('Reshape', [x, emit.ints(shape)])
}

/** The input at an index; a missing one is an error of the caller. */
export function inputAt<T>(op: string, inputs: readonly T[], index: number): T {
  const input = inputs[index]
  if (input === undefined) throw new ShapeError(`${op}: needs at least ${index + 1} inputs, found ${inputs.length}`)
  return input
}

/** A float32 constant tensor over the given numbers. */
export function constantOf(data: Float32Array, shape: Shape): Tensor {
  return constant(data, shape, 'float32')
}
