/** An ONNX model as a module: its weights are variables, its graph is traced again and can be trained. */
import { Module } from '../../nn/index.ts'
import { formatShape } from '../../tensor/shape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { Variable } from '../../tensor/variable.ts'
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { FormatError } from './errors.ts'
import { evaluateGraph, namesRead, neededNodes, Scope } from './evaluate.ts'
import { foldedOperators } from './fold.ts'
import { type GraphNode, type OnnxFile, type OnnxValueInfo, readOnnx } from './graph.ts'
import { operators } from './operators/index.ts'

/** Options of `importOnnx`. */
export interface ImportOptions {
  /** What `forward` returns: outputs of the model, or any names of values inside it (then all behind them is left out). Default: its outputs. */
  readonly outputs?: readonly string[]
}

/** The names of the operators that `importOnnx` reads. */
export const onnxOperators: readonly string[] = [...Object.keys(operators), 'If', ...foldedOperators].sort()

// Inputs of a node that are statistics: kept, never trained; and those that are settings.
const statistics: Readonly<Record<string, readonly number[]>> = { BatchNormalization: [3, 4] }
const settings: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2], OneHot: [2] }

/** The weights that the nodes read: of some rank, in float32. Numbers without axes are constants of the graph. */
function weightsOf(file: OnnxFile, nodes: readonly GraphNode[]): Map<string, Variable> {
  const namesOf = (places: Readonly<Record<string, readonly number[]>>): Set<string | undefined> =>
    new Set(nodes.flatMap(({ type, inputs }) => (places[type] ?? []).map((i) => inputs[i])))
  const [fixed, constants] = [namesOf(statistics), namesOf(settings)]
  const read = new Set(nodes.flatMap(namesRead))
  const found = new Map<string, Variable>()
  for (const [name, value] of file.graph.initializers) {
    if (!read.has(name) || constants.has(name) || !(value instanceof Tensor) || value.source.kind !== 'constant')
      continue
    found.set(name, new Variable(value.shape, { data: value.source.data, trainable: !fixed.has(name), name }))
  }
  return found
}

/**
 * A model from an ONNX file. `weights` holds its variables by the names in the file: freeze some, train the others, export again
 * with `exportOnnx`.
 */
export class OnnxModel extends Module {
  /** By the file's names. Float weights with at least one axis; statistics of batch norm are not trained. */
  readonly weights: ReadonlyMap<string, Variable>
  /** What `forward` takes, by name; sizes that may vary are names. */
  readonly inputs: readonly OnnxValueInfo[]
  /** Names of what `forward` returns. */
  readonly outputs: readonly string[]
  readonly #file: OnnxFile

  constructor(file: OnnxFile, { outputs }: ImportOptions = {}) {
    super()
    const names = outputs ?? file.graph.outputs.map(({ name }) => name)
    const known = [
      ...file.graph.nodes.flatMap((node) => node.outputs),
      ...file.graph.inputs.map(({ name }) => name),
      ...file.graph.initializers.keys(),
    ]
    for (const name of names) {
      if (known.includes(name)) continue
      if (!outputs) throw new FormatError(`importOnnx: nothing in the graph gives its output ${name}`)
      throw new UsageError(`importOnnx: there is no value ${name} (${suggestion(name, known)})`)
    }
    const nodes = neededNodes(file.graph.nodes, names)
    const read = new Set([...nodes.flatMap(namesRead), ...names])
    this.#file = file
    this.outputs = names
    this.inputs = file.graph.inputs.filter(({ name }) => read.has(name))
    this.weights = weightsOf(file, nodes)
  }

  /** The outputs by name, from the inputs by name. Shapes must be those of `inputs`, with any sizes for the named axes. */
  forward(given: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
    this.#checkInputs(given)
    const scope = new Scope()
    for (const [name, value] of this.#file.graph.initializers) scope.set(name, this.weights.get(name)?.value ?? value)
    for (const { name } of this.inputs) scope.set(name, given[name] as Tensor)
    const tensors = evaluateGraph(this.#file, this.#file.graph, scope, this.outputs)
    return Object.fromEntries(this.outputs.map((name, i) => [name, tensors[i] as Tensor]))
  }

  #checkInputs(given: Readonly<Record<string, Tensor>>): void {
    const names = this.inputs.map(({ name }) => name)
    const unknown = Object.keys(given).find((name) => !names.includes(name))
    if (unknown !== undefined)
      throw new UsageError(`OnnxModel: there is no input ${unknown} (${suggestion(unknown, names)})`)
    const sizes = new Map<string, number>()
    for (const { name, dtype, shape } of this.inputs) {
      const tensor = given[name]
      if (!tensor) throw new UsageError(`OnnxModel: the input ${name} is missing`)
      const wanted = `${dtype}[${(shape ?? []).map((size) => size ?? '?').join(', ')}]`
      const fits =
        tensor.dtype === dtype &&
        (shape?.every((size, i) => fitsSize(size, tensor.shape[i], sizes)) ?? true) &&
        (shape === undefined || shape.length === tensor.rank)
      if (!fits) {
        const found = `${tensor.dtype}${formatShape(tensor.shape)}`
        const isFixed = tensor.dtype === dtype && shape?.some((size) => typeof size === 'number')
        throw new UsageError(`OnnxModel: ${name} must be ${wanted}, found ${found}`, {
          ...(isFixed && { hint: 'sizes that are numbers are fixed in the file: export it with symbolicBatch: false' }),
        })
      }
    }
  }
}

/** Whether a size is the one wanted; sizes of one name are equal. */
function fitsSize(wanted: number | string | null, found: number | undefined, sizes: Map<string, number>): boolean {
  if (found === undefined) return false
  if (typeof wanted === 'number') return wanted === found
  if (wanted === null) return true
  const first = sizes.get(wanted)
  sizes.set(wanted, first ?? found)
  return first === undefined || first === found
}

/**
 * An ONNX model of any exporter (opset 13 and later) as a module that can be run, differentiated, frozen in part, trained and exported
 * again. Half and double precision are computed in float32.
 *
 * @throws FormatError for bytes that are no ONNX model; UnsupportedError, at the first `forward`, for an operator that is not in
 * `onnxOperators`, and for shapes that depend on values.
 */
export function importOnnx(bytes: Uint8Array, options?: ImportOptions): OnnxModel {
  return new OnnxModel(readOnnx(bytes), options)
}
