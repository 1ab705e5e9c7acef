/** Writes graphs as ONNX models. */
import { leavesOf, topologicalNodes } from '../autodiff/graph.ts'
import { type Emitter, inputAt, type OnnxAttribute, opOf } from '../ops/define.ts'
import type { DType, TypedArray } from '../tensor/dtype.ts'
import { fromNumbers } from '../tensor/dtype.ts'
import { describeOrigin, scopePath } from '../tensor/origin.ts'
import { formatShape, type Shape } from '../tensor/shape.ts'
import type { GraphNode, Tensor, TensorType } from '../tensor/tensor.ts'
import { TenfoldError } from '../util/errors.ts'
import { bytesOf } from '../util/vectors.ts'
import {
  attributeTypes,
  elementTypes,
  fileBytes,
  type OnnxAttributeValue,
  type OnnxNode,
  type OnnxValue,
} from './onnx-file.ts'

/** Operator set and file version written: the first with Gelu, readable by ONNX Runtime 1.17 and later. */
const opsetVersion = 20
const irVersion = 9

/** The numbers of the element types in ONNX. */
export const dataTypes: Record<DType, number> = {
  float32: elementTypes.FLOAT,
  int32: elementTypes.INT32,
  int64: elementTypes.INT64,
  bool: elementTypes.BOOL,
  uint8: elementTypes.UINT8,
}

/** An attribute of a node. */
export function attributeOf(name: string, value: OnnxAttribute): OnnxAttributeValue {
  if (typeof value === 'number') return { name, type: attributeTypes.INT, i: value }
  if (typeof value === 'string') return { name, type: attributeTypes.STRING, s: new TextEncoder().encode(value) }
  if ('float' in value) return { name, type: attributeTypes.FLOAT, f: value.float }
  if ('floats' in value) return { name, type: attributeTypes.FLOATS, floats: value.floats }
  return { name, type: attributeTypes.INTS, ints: value }
}

/** An input of a loop's body: a scalar, or of the shape that the runtime infers. */
function bodyInput(name: string, elemType: number, isScalar = false): OnnxValue {
  return { name, elemType, ...(isScalar && { shape: [] }) }
}

/** A constant as the emitter recorded it; the exporter may still replace it (symbolic sizes). */
export interface EmittedConstant {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** A graph written as ONNX nodes, before it is put into a file. */
export interface EmittedGraph {
  readonly nodes: OnnxNode[]
  readonly constants: EmittedConstant[]
  readonly inputs: { readonly name: string; readonly tensor: Tensor }[]
  readonly outputs: { readonly name: string; readonly tensor: Tensor }[]
  /** The tenfold node behind each ONNX node, by name: for error messages and profiles. */
  readonly origins: ReadonlyMap<string, GraphNode>
}

export interface EmitOptions {
  /** Whether com.microsoft kernels may be used. Default: true. */
  readonly fused?: boolean
  /** Kernels that there are. Default: all. */
  readonly hasKernel?: (type: string) => boolean
  /** Channels in one block of the runtime's blocked convolutions. Default: 1, none of them. */
  readonly channelBlock?: number
  /** Whether the graph is written for its sizes alone. Default: true; not if it is compared with the same graph at other sizes. */
  readonly oneSize?: boolean
  /** Leaves whose values are stored in the model instead of being inputs (weights of an exported model). */
  readonly frozen?: (leaf: Tensor) => { readonly name: string; readonly data: TypedArray } | undefined
  /** Names of the outputs. Default: any. */
  readonly outputNames?: readonly string[]
  /** Names of inputs that are not derived: by leaf. */
  readonly inputName?: (leaf: Tensor) => string | undefined
  /** Names that inputs, outputs and stored weights have: no value between is called so. Default: none. */
  readonly taken?: ReadonlySet<string>
}

/** The name, or one like it that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`_${name}`, taken) : name
}

// Large constants are told apart by identity: hashing megabytes at every compilation costs more than a second copy.
const poolLimit = 4096

class GraphEmitter implements Emitter {
  readonly fused: boolean
  readonly has: (type: string) => boolean
  readonly channelBlock: number
  readonly storesWeights: boolean
  readonly oneSize: boolean
  /** Of the graph, or of the body of a loop that is being written. */
  written: OnnxNode[] = []
  readonly constants: EmittedConstant[] = []
  readonly origins = new Map<string, GraphNode>()
  current: GraphNode | undefined
  #prefix = ''
  #values = 0
  #nodes = 0
  readonly #pool = new Map<string, string>()
  readonly #identities = new Map<TypedArray, string>()
  readonly #taken: ReadonlySet<string>

  constructor(options: EmitOptions) {
    const {
      fused = true,
      hasKernel = () => true,
      channelBlock = 1,
      oneSize = true,
      frozen,
      taken = new Set(),
    } = options
    this.#taken = taken
    this.fused = fused
    this.has = hasKernel
    this.channelBlock = channelBlock
    this.storesWeights = frozen !== undefined
    this.oneSize = oneSize
  }

  /** The name, or one like it that nobody else has. */
  free(name: string): string {
    return freeName(name, this.#taken)
  }

  /** Names of the nodes that follow begin with the module path of `node`. */
  enter(node: GraphNode): void {
    this.current = node
    const path = scopePath(node.origin)
    this.#prefix = path ? `${path.replaceAll('.', '/')}/` : ''
  }

  node(type: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain = ''): string {
    return inputAt(type, this.nodes(type, inputs, 1, attributes, domain), 0)
  }

  nodes(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Record<string, OnnxAttribute> = {},
    domain = '',
  ): string[] {
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
    return this.#add(type, inputs, outputs, attribute, domain)
  }

  #add(
    type: string,
    inputs: readonly string[],
    outputs: number,
    attribute: OnnxAttributeValue[],
    domain = '',
  ): string[] {
    const name = `${this.#prefix}${type}_${this.#nodes++}`
    const output = this.#newValues(outputs)
    this.written.push({ name, opType: type, input: [...inputs], output, attribute, domain })
    if (this.current) this.origins.set(name, this.current)
    return output
  }

  #newValues(count: number): string[] {
    return Array.from({ length: count }, () => this.free(`v${this.#values++}`))
  }

  loop(
    rounds: number,
    states: readonly string[],
    body: (round: string, states: readonly string[]) => { states: readonly string[]; stacked: readonly string[] },
  ): string[] {
    const outer = this.written
    this.written = []
    const [round = '', goesOn = '', ...given] = this.#newValues(2 + states.length)
    const results = body(round, given)
    // A body's outputs must come from its own nodes.
    const outputs = [goesOn, ...results.states, ...results.stacked].map((value) => this.node('Identity', [value]))
    const graph = {
      name: 'body',
      node: this.written,
      input: [
        bodyInput(round, elementTypes.INT64, true),
        bodyInput(goesOn, elementTypes.BOOL, true),
        ...given.map((name) => bodyInput(name, elementTypes.DOUBLE)),
      ],
      output: outputs.map((name) => ({ name })),
    }
    this.written = outer
    const attribute = { name: 'body', type: attributeTypes.GRAPH, g: graph }
    return this.#add('Loop', [this.scalar(rounds, 'int64'), '', ...states], outputs.length - 1, [attribute])
  }

  constant(dtype: DType, shape: Shape, data: TypedArray): string {
    // At one of several sizes some are equal by chance.
    const small = this.oneSize && data.length <= poolLimit
    const key = small ? `${dtype}${formatShape(shape)}${Array.from(bytesOf(data)).join()}` : ''
    const known = small ? this.#pool.get(key) : this.#identities.get(data)
    if (known !== undefined) return known
    const name = this.free(`c${this.constants.length}`)
    this.constants.push({ name, dtype, shape, data })
    if (small) this.#pool.set(key, name)
    else this.#identities.set(data, name)
    return name
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], fromNumbers('int64', values))
  }

  scalar(value: number, dtype: DType): string {
    return this.constant(dtype, [], fromNumbers(dtype, [value]))
  }

  cast(input: string, to: DType): string {
    return this.node('Cast', [input], { to: dataTypes[to] })
  }

  double(value: string | number): string {
    if (!this.has('float64')) {
      const { op, origin } = this.current ?? {}
      const place = origin && describeOrigin(origin)
      const what = `${op?.name ?? 'this'} computes in float64, which WebGPU lacks`
      throw new TenfoldError(place ? `${what}\n  in ${place}` : what, { hint: "use the processor: device 'cpu'" })
    }
    if (typeof value === 'string') return this.node('Cast', [value], { to: elementTypes.DOUBLE })
    const t = { dataType: elementTypes.DOUBLE, doubleData: [value] }
    const attribute = { name: 'value', type: attributeTypes.TENSOR, t }
    return inputAt('Constant', this.#add('Constant', [], 1, [attribute]), 0)
  }
}

/** Lowers everything that `outputs` depend on to ONNX nodes. */
export function emitGraph(outputs: readonly Tensor[], options: EmitOptions = {}): EmittedGraph {
  const emitter = new GraphEmitter(options)
  const names = new Map<Tensor, string>()
  const inputs: { name: string; tensor: Tensor }[] = []
  for (const leaf of leavesOf(outputs)) {
    if (leaf.source.kind === 'constant') {
      names.set(leaf, emitter.constant(leaf.dtype, leaf.shape, leaf.source.data))
      continue
    }
    const frozen = options.frozen?.(leaf)
    if (frozen) {
      emitter.constants.push({ name: frozen.name, dtype: leaf.dtype, shape: leaf.shape, data: frozen.data })
      names.set(leaf, frozen.name)
      continue
    }
    const name = options.inputName?.(leaf) ?? emitter.free(`in${inputs.length}`)
    inputs.push({ name, tensor: leaf })
    names.set(leaf, name)
  }

  const nodes = topologicalNodes(outputs)
  const used = new Set<Tensor>(outputs)
  for (const node of nodes) for (const input of node.inputs) used.add(input)
  for (const node of nodes) lowerNode(emitter, node, names, used)
  return {
    nodes: emitter.written,
    constants: emitter.constants,
    inputs,
    outputs: nameOutputs(emitter, outputs, names, options),
    origins: emitter.origins,
  }
}

function lowerNode(
  emitter: GraphEmitter,
  node: GraphNode,
  names: Map<Tensor, string>,
  used: ReadonlySet<Tensor>,
): void {
  emitter.enter(node)
  const op = opOf(node)
  const lowered = op.lower(emitter, {
    inputs: node.inputs.map((input) => nameOf(names, input)),
    inputTypes: node.inputs,
    outputTypes: node.outputs,
    used: node.outputs.map((output) => used.has(output)),
    attributes: node.attributes,
  })
  const results = typeof lowered === 'string' ? [lowered] : lowered
  for (const [i, output] of node.outputs.entries()) {
    const name = results[i]
    if (name !== undefined) names.set(output, name)
  }
}

function nameOf(names: ReadonlyMap<Tensor, string>, tensor: Tensor): string {
  const name = names.get(tensor)
  if (name === undefined) throw new TenfoldError(`internal: tensor ${tensor} was used before it was written`)
  return name
}

/** A graph's output must come from a node and be named once: leaves, repeats and requested names get an Identity. */
function nameOutputs(
  emitter: GraphEmitter,
  outputs: readonly Tensor[],
  names: ReadonlyMap<Tensor, string>,
  options: EmitOptions,
): { name: string; tensor: Tensor }[] {
  const taken = new Set<string>()
  const produced = new Set(emitter.written.flatMap((node) => node.output))
  emitter.current = undefined
  return outputs.map((tensor, i) => {
    let name = nameOf(names, tensor)
    const wished = options.outputNames?.[i]
    if (!produced.has(name) || taken.has(name) || wished !== undefined) {
      const copied = emitter.node('Identity', [name])
      const node = emitter.written.at(-1)
      if (wished !== undefined && node) node.output = [wished]
      name = wished ?? copied
    }
    taken.add(name)
    return { name, tensor }
  })
}

/** What a model file says besides its graph. */
export interface ModelOptions {
  readonly name?: string
  readonly documentation?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Symbolic sizes of inputs and outputs: value name -> axis -> symbol. */
  readonly dimensionNames?: Readonly<Record<string, Readonly<Record<number, string>>>>
}

/** The bytes of an ONNX model file. */
export function modelBytes(graph: EmittedGraph, options: ModelOptions = {}): Uint8Array {
  const domains = new Set(graph.nodes.map((node) => node.domain))
  // Those of ONNX Runtime are all in their first version.
  const opsetImport = [...new Set(['', ...domains])].map((domain) => ({
    domain,
    version: domain === '' ? opsetVersion : 1,
  }))
  const info = ({ name, tensor: { dtype, shape } }: { name: string; tensor: TensorType }): OnnxValue => ({
    name,
    elemType: dataTypes[dtype],
    shape: shape.map((size, axis) => options.dimensionNames?.[name]?.[axis] ?? size),
  })
  return fileBytes({
    irVersion,
    opsetImport,
    producerName: 'tenfold',
    docString: options.documentation ?? '',
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: options.name ?? 'tenfold',
      node: graph.nodes,
      input: graph.inputs.map(info),
      output: graph.outputs.map(info),
      initializer: graph.constants.map(({ name, dtype, shape, data }) => {
        return { name, dims: shape, dataType: dataTypes[dtype], rawData: bytesOf(data) }
      }),
    },
  })
}
