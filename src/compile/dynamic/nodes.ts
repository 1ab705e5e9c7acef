/** Writes constants that depend on the sizes of dynamic axes as ONNX nodes, which compute them from the shapes of the inputs. */
import { type DType, fromNumbers } from '../../tensor/dtype.ts'
import { attributeOf, dataTypes, type EmittedConstant, freeName } from '../onnx.ts'
import type { OnnxNode } from '../onnx-file.ts'
import type { SizedArray, SizedElements } from './arrays.ts'
import type { NumberFunction, SizedNumber } from './numbers.ts'
import { isFixed, type Size } from './sizes.ts'

/** Where the size of a name is read: an axis of an input of the model. */
export interface NamedInput {
  readonly input: string
  readonly axis: number
}

/** Nodes and constants that compute arrays from sizes. Throws what `refuse` gives for a size that has no formula. */
export class ArrayWriter {
  readonly nodes: OnnxNode[] = []
  readonly constants: EmittedConstant[] = []
  readonly #inputs: readonly NamedInput[]
  readonly #taken: ReadonlySet<string>
  readonly #refuse: (what: string) => Error
  readonly #known = new Map<string, string>()

  /** `taken`: names that no value here may have. */
  constructor(inputs: readonly NamedInput[], taken: ReadonlySet<string>, refuse: (what: string) => Error) {
    this.#inputs = inputs
    this.#taken = taken
    this.#refuse = refuse
  }

  /** Writes the array as the value `name`, in `what` for messages. */
  write(name: string, array: SizedArray, what: string): void {
    const { dtype } = array
    const flat = this.#elements(array, what)
    const typed = dtype === 'int64' && array.kind !== 'triangle' ? flat : this.#cast(flat, dtype)
    this.nodes.push({
      opType: 'Reshape',
      name: `shape_${name}`,
      input: [typed, this.#sizes(array.shape, what)],
      output: [name],
      attribute: [],
      domain: '',
    })
  }

  #elements(array: SizedArray, what: string): string {
    const type = array.dtype === 'float32' ? 'float32' : 'int64'
    if (array.kind === 'elements') {
      const pieces = array.elements.map((element) => this.#number(element, type, what))
      return pieces.length === 1 ? (pieces[0] ?? '') : this.#node('Concat', pieces, { axis: 0 })
    }
    if (array.kind === 'triangle') return this.#triangle(array, array.shape, what)
    const start = this.#number(array.start, type, what)
    const all = array.steps.reduce((sum, step, i) => {
      if (step.function === 'identity' && isFixed(step.size) && 'offset' in step.size && step.size.offset === 0)
        return sum
      const indices = this.#indices(array.axes[i], array.axes.length - 1 - i, type, what)
      const part = this.#node('Mul', [indices, this.#number(step, type, what)])
      return this.#node('Add', [sum, step.function === 'identity' ? part : this.#unlessFirst(indices, part, type)])
    }, start)
    return this.#node('Expand', [all, this.#sizes(array.axes, what)])
  }

  /** 0 at index 0, where a step over an axis of one element may be infinite. */
  #unlessFirst(indices: string, part: string, type: DType): string {
    const zero = this.#fixed(0, type)
    return this.#node('Where', [this.#node('Equal', [indices, zero]), zero, part])
  }

  #triangle(triangle: SizedElements & { readonly kind: 'triangle' }, shape: readonly Size[], what: string): string {
    const along = (axis: number, factor: number): string =>
      this.#node('Mul', [this.#indices(shape.at(axis), -1 - axis, 'int64', what), this.#fixed(factor, 'int64')])
    const sum = this.#node('Add', [along(-2, triangle.row), along(-1, triangle.column)])
    const side = this.#node('Add', [sum, this.#size(triangle.start, what)])
    const isInside = this.#node(triangle.isDiagonal ? 'Equal' : 'GreaterOrEqual', [side, this.#fixed(0, 'int64')])
    const values = [triangle.inside, triangle.outside].map((value) => this.#fixed(value, 'float32'))
    return this.#node('Expand', [this.#node('Where', [isInside, ...values]), this.#sizes(shape, what)])
  }

  /** 0, 1, ... along an axis that has `behind` more axes behind it. */
  #indices(size: Size | undefined, behind: number, type: DType, what: string): string {
    const end = this.#node('Squeeze', [this.#size(size ?? { kind: 'axis', id: 0 }, what), this.#fixed(0, 'int64')])
    const bounds = [0, 1].map((value) => this.#constant('int64', [], [value]))
    const range = this.#node('Range', [bounds[0] ?? '', end, bounds[1] ?? ''])
    const shape = this.#constant('int64', [behind + 1], [-1, ...new Array<number>(behind).fill(1)])
    return this.#cast(this.#node('Reshape', [range, shape]), type)
  }

  /** A list of one element. */
  #number({ factor, function: name, size }: SizedNumber, type: DType, what: string): string {
    const n = this.#size(size, what)
    if (name === 'identity' && factor === 1) return this.#cast(n, type)
    const value = this.#function(name, this.#cast(n, 'float32'))
    return this.#cast(factor === 1 ? value : this.#node('Mul', [value, this.#fixed(factor, 'float32')]), type)
  }

  #function(name: NumberFunction, n: string): string {
    const one = this.#fixed(1, 'float32')
    if (name === 'identity') return n
    if (name === 'reciprocal') return this.#node('Div', [one, n])
    if (name === 'root') return this.#node('Sqrt', [n])
    if (name === 'inverseRoot') return this.#node('Div', [one, this.#node('Sqrt', [n])])
    if (name === 'logarithm') return this.#node('Log', [n])
    return this.#node('Div', [n, this.#node('Sub', [n, one])])
  }

  /** A shape, int64. */
  #sizes(shape: readonly Size[], what: string): string {
    const pieces = shape.map((size) => this.#size(size, what))
    if (pieces.length === 0) return this.#constant('int64', [0], [])
    return pieces.length === 1 ? (pieces[0] ?? '') : this.#node('Concat', pieces, { axis: 0 })
  }

  /** A size as a list of one int64. */
  #size(size: Size, what: string): string {
    if (size.kind === 'axis') throw this.#refuse(what)
    if (size.kind === 'product') {
      const product = size.parts.map((part) => this.#size(part, what)).reduce((a, b) => this.#node('Mul', [a, b]))
      return this.#plus(this.#times(product, size.factor, what), size.offset)
    }
    const terms = size.terms.map(({ name, factor }) => this.#times(this.#named(name), factor, what))
    const [first, ...rest] = terms
    if (first === undefined) return this.#fixed(size.offset, 'int64')
    return this.#plus(
      rest.reduce((a, b) => this.#node('Add', [a, b]), first),
      size.offset,
    )
  }

  #plus(value: string, offset: number): string {
    return offset === 0 ? value : this.#node('Add', [value, this.#fixed(offset, 'int64')])
  }

  #times(value: string, factor: number, what: string): string {
    if (factor === 1) return value
    if (Number.isInteger(factor)) return this.#node('Mul', [value, this.#fixed(factor, 'int64')])
    if (Number.isInteger(1 / factor)) return this.#node('Div', [value, this.#fixed(1 / factor, 'int64')])
    throw this.#refuse(what)
  }

  #named(name: number): string {
    const { input, axis } = this.#inputs[name] ?? { input: '', axis: 0 }
    return this.#node('Gather', [this.#node('Shape', [input]), this.#fixed(axis, 'int64')])
  }

  #cast(value: string, dtype: DType): string {
    return this.#node('Cast', [value], { to: dataTypes[dtype] })
  }

  #fixed(value: number, dtype: DType): string {
    return this.#constant(dtype, [1], [value])
  }

  #constant(dtype: DType, shape: readonly number[], values: readonly number[]): string {
    return this.#once(`${dtype}[${shape}] ${values}`, () => {
      const name = freeName(`shape_c${this.constants.length}`, this.#taken)
      this.constants.push({ name, dtype, shape, data: fromNumbers(dtype, values) })
      return name
    })
  }

  #node(opType: string, input: readonly string[], attributes: Readonly<Record<string, number>> = {}): string {
    return this.#once(`${opType} ${input} ${JSON.stringify(attributes)}`, () => {
      const name = freeName(`shape_v${this.nodes.length}`, this.#taken)
      const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value))
      this.nodes.push({ opType, name, input, output: [name], attribute, domain: '' })
      return name
    })
  }

  /** Equal nodes and constants are written once. */
  #once(key: string, make: () => string): string {
    const name = this.#known.get(key) ?? make()
    this.#known.set(key, name)
    return name
  }
}
