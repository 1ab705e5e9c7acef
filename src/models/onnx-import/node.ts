/** One node of an ONNX graph with its inputs: what an operator's implementation reads. */
import type { Tensor } from '../../tensor/tensor.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import type { Attribute, GraphNode } from './graph.ts'
import { asTensor, isKnown, type Known, simplest, type Value } from './values.ts'

/** `Conv "features.0"`, for messages. */
export const labelOf = ({ type, name }: GraphNode): string => `${type}${name ? ` "${name}"` : ''}`

/** Attributes are read by name and kind; what no one reads is an error, not silence. */
export class OnnxNode {
  readonly type: string
  readonly opset: number
  /** Inputs that were left out are undefined. */
  readonly inputs: readonly (Value | undefined)[]
  /** Names of the outputs; an empty one is not wanted. */
  readonly outputs: readonly string[]
  readonly #node: GraphNode
  readonly #unread: Set<string>

  constructor(node: GraphNode, opset: number, inputs: readonly (Value | undefined)[]) {
    this.#node = node
    this.type = node.type
    this.opset = opset
    this.inputs = inputs
    this.outputs = node.outputs
    this.#unread = new Set(node.attributes.keys())
  }

  /** `Conv "features.0"`, for messages. */
  get label(): string {
    return labelOf(this.#node)
  }

  fail(message: string, hint?: string): never {
    throw new UnsupportedError(`importOnnx: ${this.label}: ${message}`, hint === undefined ? {} : { hint })
  }

  /** Whether output i is wanted. */
  wants(i: number): boolean {
    return Boolean(this.outputs[i])
  }

  optional(i: number): Tensor | undefined {
    const value = this.inputs[i]
    return value && asTensor(value)
  }

  tensor(i: number): Tensor {
    return this.optional(i) ?? this.#missing(i)
  }

  /** All inputs that are given. */
  tensors(): Tensor[] {
    return this.inputs.flatMap((value) => (value ? [asTensor(value)] : []))
  }

  /** An input whose numbers must be known while tracing: a shape, axes. Undefined if it was left out. */
  known(i: number): Known | undefined {
    const value = this.inputs[i]
    if (!value) return undefined
    const simple = simplest(value)
    if (isKnown(simple)) return simple
    const { source } = simple
    const origin = source.kind === 'node' ? `what the op ${source.node.op.name} computes` : 'an input of the model'
    return this.fail(
      `input ${i + 1} must be known when the model is traced, but is ${origin}`,
      'no shape may depend on values: shapes, axes and sizes must follow from the shapes of the inputs',
    )
  }

  /** The numbers of a known input. */
  numbers(i: number): readonly number[] | undefined {
    return this.known(i)?.data
  }

  requiredNumbers(i: number): readonly number[] {
    return this.numbers(i) ?? this.#missing(i)
  }

  #missing(i: number): never {
    throw new FormatError(`importOnnx: ${this.label} must have input ${i + 1}`)
  }

  #attribute(name: string): Attribute | undefined {
    this.#unread.delete(name)
    return this.#node.attributes.get(name)
  }

  has(name: string): boolean {
    return this.#node.attributes.has(name)
  }

  number(name: string, fallback: number): number {
    const found = this.#attribute(name)
    return found?.kind === 'number' ? found.value : fallback
  }

  flag(name: string, fallback: boolean): boolean {
    return this.number(name, Number(fallback)) !== 0
  }

  list(name: string): readonly number[] | undefined {
    const found = this.#attribute(name)
    return found?.kind === 'numbers' ? found.value : undefined
  }

  text(name: string, fallback: string): string {
    const found = this.#attribute(name)
    return found?.kind === 'text' ? found.value : fallback
  }

  attributeTensor(name: string): Value | undefined {
    const found = this.#attribute(name)
    return found?.kind === 'tensor' ? found.value : undefined
  }

  /** Attributes that do not change what is computed here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name)
  }

  /** Called when the operator has been computed. */
  finish(): void {
    const [first] = this.#unread
    if (first !== undefined) this.fail(`the attribute ${first} is not supported`)
  }
}
