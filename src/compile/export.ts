/**
 * Exported models: standard ONNX ops only, named inputs and outputs, weights inside, symbolic batch size.
 *
 * Traces are static, so the batch size becomes symbolic by comparison: the function is traced with two sizes, and
 * wherever the two graphs hold different whole numbers, these must be linear in the batch size and are computed from
 * the input's shape in the exported model. A graph that differs in any other way depends on the batch size as such.
 */

import { create, toBinary } from '@bufbuild/protobuf'
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type NodeProto,
  NodeProtoSchema,
} from 'onnx-buf'
import { fromNumbers, toNumbers } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { Tensor, type TensorType } from '../tensor/tensor.ts'
import { record } from '../tensor/trace.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { type EmittedConstant, type EmittedGraph, emitGraph, modelBytes } from './onnx.ts'
import { optimize } from './program.ts'
import { calls } from './queue.ts'

/** What is exported. */
export interface ExportOptions<Name extends string = string> {
  /** Inputs by name; axis 0 is the batch and its size here is ignored. */
  readonly inputs: Readonly<Record<Name, TensorType>>
  readonly forward: (inputs: Readonly<Record<Name, Tensor>>) => Readonly<Record<string, Tensor>>
  readonly name?: string
  readonly documentation?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** false: axis 0 keeps the sizes given. Default: true. */
  readonly symbolicBatch?: boolean
}

// Large primes: no size of a real model equals them, so equal constants of the two traces mean the same thing.
const batchSizes = [10_007, 10_009] as const

/** Errors show `batch`, not the size that stands for it here. */
function withBatchNamed<T>(batch: number | undefined, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (batch === undefined || !(error instanceof TenfoldError)) throw error
    const named = (text: string): string =>
      text.replace(/\b\d+\b/g, (digits) => {
        const times = Number(digits) / batch
        if (times < 1 || !Number.isInteger(times)) return digits
        return times === 1 ? 'batch' : `${times} * batch`
      })
    // A subclass takes the same arguments.
    const Kind = error.constructor as typeof TenfoldError
    throw new Kind(named(error.message), error.hint === undefined ? {} : { hint: named(error.hint) })
  }
}

async function traceWith<Name extends string>(
  options: ExportOptions<Name>,
  batch: number | undefined,
): Promise<EmittedGraph> {
  const leaves = {} as Record<Name, Tensor>
  const names = new Map<Tensor, string>()
  for (const [name, { dtype, shape }] of Object.entries(options.inputs) as [Name, TensorType][]) {
    const leaf = new Tensor(dtype, batch === undefined ? shape : [batch, ...shape.slice(1)], { kind: 'input', name })
    leaves[name] = leaf
    names.set(leaf, name)
  }
  const { result } = withBatchNamed(batch, () => record(() => options.forward(leaves)))
  const { roots } = await optimize(Object.values(result))
  let unnamed = 0
  const used = new Set<string>()
  return emitGraph(roots, {
    fused: false,
    outputNames: Object.keys(result),
    inputName: (leaf) => names.get(leaf),
    frozen: (leaf) => {
      if (leaf.source.kind === 'feed') {
        throw new TenfoldError('export: the function draws random numbers or reads a schedule', {
          hint: 'export in evaluation mode: model.eval()',
        })
      }
      if (leaf.source.kind !== 'variable') return undefined
      const { variable } = leaf.source
      const name = variable.name && !used.has(variable.name) ? variable.name : `weight_${unnamed++}`
      used.add(name)
      return { name, data: variable.data }
    },
  })
}

// A protocol buffer is shorter, and so are the models that ONNX's readers take.
const largestModel = 2 ** 31

/** Throws a UsageError if a model's weights alone are more than an ONNX file may hold. */
export function checkModelSize(constants: readonly { readonly data: { readonly byteLength: number } }[]): void {
  const bytes = constants.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (bytes < largestModel) return
  throw new UsageError(`export: the weights have ${bytes} bytes, an ONNX file holds less than ${largestModel}`, {
    hint: 'write the weights as safetensors, which have no such limit',
  })
}

/**
 * The bytes of an ONNX model that computes `forward` with the values that the variables have once all calls before have ended.
 * Throws a UsageError if that would be 2 GiB or more.
 */
export function exportOnnx<Name extends string>(options: ExportOptions<Name>): Promise<Uint8Array> {
  return calls.add(() => exportNow(options))
}

async function exportNow<Name extends string>(options: ExportOptions<Name>): Promise<Uint8Array> {
  const { name, documentation, metadata } = options
  const texts = { ...(name && { name }), ...(documentation && { documentation }), ...(metadata && { metadata }) }
  if (options.symbolicBatch === false) {
    const graph = await traceWith(options, undefined)
    checkModelSize(graph.constants)
    return modelBytes(graph, texts)
  }
  const [small, large] = [await traceWith(options, batchSizes[0]), await traceWith(options, batchSizes[1])]
  const { graph, dimensionNames } = withSymbolicBatch(small, large)
  checkModelSize(graph.constants)
  return modelBytes(graph, { ...texts, dimensionNames })
}

/** A number that was `a` at the first batch size and `b` at the second, as factor * batch + offset. */
function linearInBatch(a: number, b: number): { factor: number; offset: number } {
  const factor = (b - a) / (batchSizes[1] - batchSizes[0])
  return { factor, offset: a - factor * batchSizes[0] }
}

function dependsOnBatch(what: string): TenfoldError {
  return new TenfoldError(`export: ${what} depends on the batch size, so the batch cannot be symbolic`, {
    hint: 'a mean or norm over the batch belongs to training, not to the exported function; or pass symbolicBatch: false',
  })
}

function sameNode(a: NodeProto, b: NodeProto): boolean {
  const [x, y] = [toBinary(NodeProtoSchema, a), toBinary(NodeProtoSchema, b)]
  return x.length === y.length && x.every((byte, i) => byte === y[i])
}

function withSymbolicBatch(
  small: EmittedGraph,
  large: EmittedGraph,
): { graph: EmittedGraph; dimensionNames: Record<string, Record<number, string>> } {
  for (const [i, node] of small.nodes.entries()) {
    const other = large.nodes[i]
    if (!other || !sameNode(node, other)) throw dependsOnBatch(`node ${node.name}`)
  }
  if (small.constants.length !== large.constants.length || small.nodes.length !== large.nodes.length)
    throw dependsOnBatch('the graph')
  const shapes = new ShapeWriter(small)
  const constants = small.constants.filter((constant, i) => {
    const other = large.constants[i]
    if (!other || constant.data === other.data) return true
    const [a, b] = [toNumbers(constant.data), toNumbers(other.data)]
    if (a.length === b.length && a.every((value, j) => Object.is(value, b[j]))) return true
    if (constant.dtype !== 'int64' || constant.shape.length !== 1 || a.length !== b.length)
      throw dependsOnBatch(`constant ${constant.name}`)
    return shapes.replace(constant, a, b)
  })
  const dimensionNames: Record<string, Record<number, string>> = {}
  for (const list of ['inputs', 'outputs'] as const) {
    for (const [i, { name, tensor }] of small[list].entries()) {
      const named: Record<number, string> = {}
      for (const [axis, size] of tensor.shape.entries()) {
        const { factor, offset } = linearInBatch(size, sizeOf(large[list][i]?.tensor.shape ?? [], axis))
        if (factor !== 0)
          named[axis] = factor === 1 && offset === 0 ? 'batch' : `${factor}*batch${offset ? `+${offset}` : ''}`
      }
      dimensionNames[name] = named
    }
  }
  const nodes = [...shapes.nodes, ...small.nodes]
  return { graph: { ...small, nodes, constants: [...constants, ...shapes.constants] }, dimensionNames }
}

/** Writes the nodes that compute shapes from the batch size of the first input. */
class ShapeWriter {
  readonly nodes: NodeProto[] = []
  readonly constants: EmittedConstant[] = []
  readonly #graph: EmittedGraph
  #batch: string | undefined

  constructor(graph: EmittedGraph) {
    this.#graph = graph
  }

  /** Returns true if the constant stays (with -1 in it), false if a computed value of the same name replaces it. */
  replace(constant: EmittedConstant, a: readonly number[], b: readonly number[]): boolean {
    const differing = a.flatMap((value, i) => (value === b[i] ? [] : [i]))
    const users = this.#graph.nodes.filter((node) => node.input.includes(constant.name))
    const onlyReshapes = users.every((node) => node.opType === 'Reshape' && node.input[0] !== constant.name)
    if (differing.length === 1 && onlyReshapes && !a.includes(0)) {
      constant.data.set(
        fromNumbers(
          'int64',
          a.map((value, i) => (i === differing[0] ? -1 : value)),
        ) as never,
      )
      return true
    }
    const pieces = a.map((value, i) => {
      const { factor, offset } = linearInBatch(value, b[i] ?? value)
      if (!Number.isInteger(factor)) throw dependsOnBatch(`constant ${constant.name}`)
      if (factor === 0) return this.#ints([value])
      const scaled = factor === 1 ? this.#batchSize() : this.#node('Mul', [this.#batchSize(), this.#ints([factor])])
      return offset === 0 ? scaled : this.#node('Add', [scaled, this.#ints([offset])])
    })
    const axis = create(AttributeProtoSchema, { name: 'axis', type: AttributeType.INT, i: 0n })
    this.nodes.push(
      create(NodeProtoSchema, {
        opType: 'Concat',
        name: `shape_${constant.name}`,
        input: pieces,
        output: [constant.name],
        attribute: [axis],
      }),
    )
    return false
  }

  #ints(values: readonly number[]): string {
    const name = `shape_c${this.constants.length}`
    this.constants.push({ name, dtype: 'int64', shape: [values.length], data: fromNumbers('int64', values) })
    return name
  }

  #node(opType: string, input: string[]): string {
    const name = `shape_v${this.nodes.length}`
    this.nodes.push(create(NodeProtoSchema, { opType, name, input, output: [name] }))
    return name
  }

  #batchSize(): string {
    const input = this.#graph.inputs[0]?.name ?? ''
    this.#batch ??= this.#node('Gather', [this.#node('Shape', [input]), this.#ints([0])])
    return this.#batch
  }
}
