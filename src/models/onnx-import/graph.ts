/** An ONNX file as plain graphs: nodes, constants, inputs, outputs. */
import { fromBinary } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from 'onnx-buf'
import type { DType } from '../../tensor/dtype.ts'
import { shown } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'
import { dtypeOf, readTensor } from './elements.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import type { Value } from './values.ts'

/** The value of an attribute. */
export type Attribute =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'numbers'; readonly value: readonly number[] }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Value }
  | { readonly kind: 'graph'; readonly value: Graph }
  /** The value of an attribute of the function in whose body the node stands. */
  | { readonly kind: 'reference'; readonly value: string }

export interface GraphNode {
  readonly type: string
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

/** An input or output: sizes that are not fixed are names, or null if they have none. */
export interface OnnxValueInfo {
  readonly name: string
  readonly dtype: DType
  /** Undefined: the file does not say it. */
  readonly shape: readonly (number | string | null)[] | undefined
}

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly initializers: ReadonlyMap<string, Value>
  /** Without initializers. */
  readonly inputs: readonly OnnxValueInfo[]
  readonly outputs: readonly OnnxValueInfo[]
}

/** A function of the model's own: an operator whose body is a graph. */
export interface OnnxFunction {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly defaults: ReadonlyMap<string, Attribute>
  readonly nodes: readonly GraphNode[]
  readonly opset: number
}

export interface OnnxFile {
  readonly graph: Graph
  readonly opset: number
  /** By `domain:name`. */
  readonly functions: ReadonlyMap<string, OnnxFunction>
  readonly producer: string
}

const standard = (domain: string): boolean => domain === '' || domain === 'ai.onnx'
const decoder = new TextDecoder()

function readAttribute(attribute: AttributeProto): Attribute {
  const { type, name } = attribute
  if (attribute.refAttrName) return { kind: 'reference', value: attribute.refAttrName }
  switch (type) {
    case AttributeType.FLOAT:
      return { kind: 'number', value: attribute.f }
    case AttributeType.INT:
      return { kind: 'number', value: Number(attribute.i) }
    case AttributeType.FLOATS:
      return { kind: 'numbers', value: [...attribute.floats] }
    case AttributeType.INTS:
      return { kind: 'numbers', value: attribute.ints.map(Number) }
    case AttributeType.STRING:
      return { kind: 'text', value: decoder.decode(attribute.s) }
    case AttributeType.TENSOR:
      if (attribute.t) return { kind: 'tensor', value: readTensor(attribute.t) }
      break
    case AttributeType.GRAPH:
      if (attribute.g) return { kind: 'graph', value: readGraph(attribute.g) }
  }
  throw new UnsupportedError(`importOnnx: attribute ${name} has a kind that is not supported (${AttributeType[type]})`)
}

function readNode(node: NodeProto): GraphNode {
  return {
    type: node.opType,
    domain: standard(node.domain) ? '' : node.domain,
    name: node.name,
    inputs: node.input,
    outputs: node.output,
    attributes: new Map(node.attribute.map((attribute) => [attribute.name, readAttribute(attribute)])),
  }
}

function readInfo({ name, type }: ValueInfoProto): OnnxValueInfo {
  if (type && type.value.case !== 'tensorType') {
    throw new UnsupportedError(`importOnnx: ${name} must be a tensor, found ${type.value.case ?? 'no type'}`)
  }
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined
  const shape = tensor?.shape?.dim.map(({ value }) => {
    if (value.case === 'dimParam') return value.value || null
    return value.case === 'dimValue' ? Number(value.value) : null
  })
  return { name, dtype: dtypeOf(name, tensor?.elemType ?? 1), shape }
}

function readGraph(graph: GraphProto): Graph {
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, readTensor(tensor)]))
  if (graph.sparseInitializer.length > 0) throw new UnsupportedError('importOnnx: sparse weights are not supported')
  return {
    nodes: graph.node.map(readNode),
    initializers,
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map(readInfo),
    outputs: graph.output.map(readInfo),
  }
}

function standardOpset(imports: ModelProto['opsetImport'] | FunctionProto['opsetImport']): number {
  return Number(imports.find(({ domain }) => standard(domain))?.version ?? 1)
}

function readFunction(body: FunctionProto): OnnxFunction {
  return {
    inputs: body.input,
    outputs: body.output,
    defaults: new Map(body.attributeProto.map((attribute) => [attribute.name, readAttribute(attribute)])),
    nodes: body.node.map(readNode),
    opset: standardOpset(body.opsetImport),
  }
}

/** The oldest version of the operators that is read. */
const oldestOpset = 13

/** Throws a FormatError for what is no ONNX model, an UnsupportedError for one that is too old or keeps its weights elsewhere. */
export function readOnnx(bytes: Uint8Array): OnnxFile {
  if (!(bytes instanceof Uint8Array))
    throw new UsageError(`importOnnx: the bytes must be a Uint8Array, found ${shown(bytes)}`, {
      hint: 'new Uint8Array(buffer), or await readFile(path)',
    })
  if (bytes.length === 0) throw new FormatError('importOnnx: the file is empty')
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (error) {
    throw new FormatError('importOnnx: the bytes are not an ONNX model', {
      cause: error,
      hint: 'is the file complete? copy, download or export it again',
    })
  }
  if (!model.graph) throw new FormatError('importOnnx: the bytes are not an ONNX model: there is no graph')
  const opset = standardOpset(model.opsetImport)
  if (opset < oldestOpset) {
    throw new UnsupportedError(`importOnnx: the operators must be of opset ${oldestOpset} or later, found ${opset}`, {
      hint: 'export the model again, with opset_version=17 for example',
    })
  }
  return {
    graph: readGraph(model.graph),
    opset,
    functions: new Map(
      model.functions.map((body) => [`${standard(body.domain) ? '' : body.domain}:${body.name}`, readFunction(body)]),
    ),
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
  }
}
