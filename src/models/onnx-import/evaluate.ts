/** Traces an ONNX graph: its nodes in order, each with what the nodes before it gave. */
import type { Tensor } from '../../tensor/tensor.ts'
import { reworded, TenfoldError } from '../../util/errors.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import { fold, foldedOperators } from './fold.ts'
import type { Attribute, Graph, GraphNode, OnnxFile } from './graph.ts'
import { labelOf, OnnxNode } from './node.ts'
import { operators } from './operators/index.ts'
import { asTensor, isKnown, simplest, type Value } from './values.ts'

/** Values by name; inner graphs see those of the graphs around them. */
export class Scope {
  readonly #values = new Map<string, Value>()
  readonly #outer: Scope | undefined

  constructor(outer?: Scope) {
    this.#outer = outer
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value)
  }

  find(name: string): Value | undefined {
    return this.#values.get(name) ?? this.#outer?.find(name)
  }

  required(name: string): Value {
    const found = this.find(name)
    if (!found) throw new FormatError(`importOnnx: nothing in the graph gives ${name}`)
    return found
  }
}

/** Where nodes are evaluated. */
interface Place {
  readonly file: OnnxFile
  readonly scope: Scope
  readonly opset: number
  /** Attributes of the function whose body this is. */
  readonly references: ReadonlyMap<string, Attribute>
}

const none: ReadonlyMap<string, Attribute> = new Map()

/** Evaluates the nodes that `wanted` depend on, in the file's order. */
export function evaluateGraph(file: OnnxFile, graph: Graph, scope: Scope, wanted: readonly string[]): Tensor[] {
  evaluateNodes(neededNodes(graph.nodes, wanted), { file, scope, opset: file.opset, references: none })
  return wanted.map((name) => asTensor(scope.required(name)))
}

/** The nodes that the values depend on, themselves or through the graphs inside of nodes. */
export function neededNodes(nodes: readonly GraphNode[], wanted: readonly string[]): GraphNode[] {
  const needed = new Set(wanted)
  const chosen: GraphNode[] = []
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue
    chosen.unshift(node)
    for (const name of namesRead(node)) needed.add(name)
  }
  // What no one reads is not wanted: the places of a pooling's largest elements.
  return chosen.map((node) => ({ ...node, outputs: node.outputs.map((name) => (needed.has(name) ? name : '')) }))
}

/** What a node reads, also through the graphs inside of it. */
export function namesRead(node: GraphNode): string[] {
  const inner = [...node.attributes.values()].flatMap((attribute) =>
    attribute.kind === 'graph'
      ? [...attribute.value.outputs.map(({ name }) => name), ...attribute.value.nodes.flatMap(namesRead)]
      : [],
  )
  return [...node.inputs, ...inner]
}

function evaluateNodes(nodes: readonly GraphNode[], place: Place): void {
  for (const node of nodes) {
    const results = naming(node, () => evaluateNode(resolved(node, place.references), place))
    for (const [i, name] of node.outputs.entries()) {
      const value = results[i]
      if (name && value) place.scope.set(name, value)
    }
  }
}

/** Errors of what a node becomes name the node: whoever reads them knows the file, not these lines. */
function naming<T>(node: GraphNode, body: () => T): T {
  try {
    return body()
  } catch (error) {
    const label = `importOnnx: ${labelOf(node)}: `
    // An array that cannot be: its sizes are the file's.
    if (error instanceof RangeError) throw new UnsupportedError(`${label}${error.message}`, { cause: error })
    if (!(error instanceof TenfoldError) || error.message.startsWith('importOnnx: ')) throw error
    throw reworded(error, `${label}${error.message}`)
  }
}

/** The node with the attributes that its function was given in place of their names. */
function resolved(node: GraphNode, references: ReadonlyMap<string, Attribute>): GraphNode {
  if (![...node.attributes.values()].some(({ kind }) => kind === 'reference')) return node
  const attributes = [...node.attributes].flatMap(([name, attribute]): [string, Attribute][] => {
    if (attribute.kind !== 'reference') return [[name, attribute]]
    const given = references.get(attribute.value)
    return given ? [[name, given]] : []
  })
  return { ...node, attributes: new Map(attributes) }
}

function evaluateNode(node: GraphNode, place: Place): readonly Value[] {
  const inputs = node.inputs.map((name) => (name ? place.scope.required(name) : undefined))
  const body = place.file.functions.get(`${node.domain}:${node.type}`)
  if (body) {
    const scope = new Scope()
    for (const [i, name] of body.inputs.entries()) {
      const value = inputs[i]
      if (value) scope.set(name, value)
    }
    const references = new Map([...body.defaults, ...node.attributes])
    evaluateNodes(neededNodes(body.nodes, body.outputs), { ...place, scope, opset: body.opset, references })
    return body.outputs.map((name) => scope.required(name))
  }
  const reader = new OnnxNode(node, place.opset, inputs)
  if (node.domain !== '') return unknownOperator(node)
  if (node.type === 'If') return evaluateIf(node, reader, place)
  const folded = fold(reader)
  if (folded) {
    reader.finish()
    return folded
  }
  const operator = operators[node.type]
  if (!operator) return unknownOperator(node)
  const result = operator(reader)
  reader.finish()
  return Array.isArray(result) ? (result as readonly Value[]) : [result as Value]
}

function evaluateIf(node: GraphNode, reader: OnnxNode, place: Place): readonly Value[] {
  const value = reader.inputs[0] && simplest(reader.inputs[0])
  if (!isKnown(value)) return reader.fail('the condition must be known when the model is traced')
  const chosen = node.attributes.get(value.data[0] ? 'then_branch' : 'else_branch')
  if (chosen?.kind !== 'graph') return reader.fail('a branch is missing')
  const scope = new Scope(place.scope)
  for (const [name, weight] of chosen.value.initializers) scope.set(name, weight)
  const names = chosen.value.outputs.map(({ name }) => name)
  evaluateNodes(neededNodes(chosen.value.nodes, names), { ...place, scope })
  return names.map((name) => scope.required(name))
}

function unknownOperator(node: GraphNode): never {
  const name = node.domain ? `${node.domain}.${node.type}` : node.type
  if (node.domain === '' && foldedOperators.includes(node.type))
    throw new UnsupportedError(`importOnnx: ${labelOf(node)}: the inputs must be known when the model is traced`)
  throw new UnsupportedError(`importOnnx: the operator ${name} is not supported`, {
    hint: node.domain
      ? 'only the standard operators are: export without fused ones'
      : 'onnxOperators lists those that are',
  })
}
