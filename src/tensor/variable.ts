import { optionsOf, requireOneOf, shown } from '../util/check.ts'
import { ShapeError, TenfoldError, UsageError } from '../util/errors.ts'
import type { DType, NDArray, Resident, StoredArray, TypedArray } from './dtype.ts'
import { allocate, checkedElements, dtypes, elementCount, fromNumbers, isResident, storesElements } from './dtype.ts'
import { noTensor } from './operand.ts'
import { formatNumbers, inspectSymbol, primitiveOf, refuseIteration } from './print.ts'
import { checkShape, formatShape, type Shape, sameShape } from './shape.ts'
import { Tensor } from './tensor.ts'
import { currentTrace } from './trace.ts'

/** How a variable is made: its first values, or zeros. */
export interface VariableOptions {
  readonly dtype?: DType
  readonly data?: TypedArray
  /** Whether optimizers change it. Default: false; `parameter()` of `nn` sets it. */
  readonly trainable?: boolean
  /** Whether it belongs to the state dict. Default: true. */
  readonly persistent?: boolean
  readonly name?: string
}

/**
 * State that outlives a call: a parameter, a running statistic, an optimizer's moment. A traced function reads `value`
 * and may `assign` it; the buffers are swapped after each call, so nothing is copied.
 */
export class Variable {
  readonly dtype: DType
  readonly shape: Shape
  readonly trainable: boolean
  readonly persistent: boolean
  /** Its path in the state dict once a module or optimizer owns it; for messages and checkpoints. */
  name: string
  /** A frozen parameter keeps its place in the state dict, but is not among the `parameters()` of its module. */
  frozen = false
  /** The symbolic tensor that stands for the value at the start of a call. */
  readonly leaf: Tensor
  #front: TypedArray | Resident
  #back: TypedArray | Resident | undefined
  #writes = 0

  constructor(shape: Shape, given?: VariableOptions) {
    checkShape('Variable', shape)
    const options = optionsOf(
      'Variable',
      given,
      { dtype: true, data: true, trainable: true, persistent: true, name: true },
      UsageError,
    )
    this.shape = shape
    this.dtype = options.dtype ?? 'float32'
    this.trainable = options.trainable ?? false
    this.persistent = options.persistent ?? true
    this.name = options.name ?? ''
    this.leaf = new Tensor(this.dtype, shape, { kind: 'variable', variable: this })
    requireOneOf('Variable', 'dtype', this.dtype, dtypes, UsageError)
    const data = options.data ?? allocate(this.dtype, this.size)
    this.#front = checkedElements(`variable ${this.#label}`, data, this.dtype)
    this.#checkLength(data.length)
  }

  get #label(): string {
    return this.name || '(unnamed)'
  }

  #checkLength(length: number): void {
    if (length === elementCount(this.shape)) return
    throw new ShapeError(
      `variable ${this.#label}: shape ${formatShape(this.shape)} needs ${elementCount(this.shape)} elements, found ${length}`,
    )
  }

  get size(): number {
    return elementCount(this.shape)
  }

  /**
   * The present numbers, at once: those of a tensor are asked for, `await tensor.data()`. Do not keep the array across calls of compiled
   * functions: buffers are swapped. Throws a UsageError if they are on a graphics processor (`fetch`).
   */
  get data(): TypedArray {
    if (isResident(this.#front))
      throw new UsageError(`variable ${this.#label}: its numbers are on the graphics processor`, {
        hint: 'await variable.fetch(), or fetchVariables(model.variables()), before they are read',
      })
    return this.#front
  }

  get array(): NDArray {
    return { dtype: this.dtype, shape: this.shape, data: this.data }
  }

  /** The present numbers wherever they are: what a call reads. */
  get stored(): StoredArray {
    return { dtype: this.dtype, shape: this.shape, data: this.#front }
  }

  /**
   * The present numbers, brought back from the graphics processor if a call left them there (WebGPU); the next call takes them there
   * again. Elsewhere they are there already.
   */
  async fetch(): Promise<TypedArray> {
    const front = this.#front
    if (!isResident(front)) return front
    const data = await front.read()
    // Unless a call has replaced them meanwhile.
    if (this.#front === front) this.#front = data
    return data
  }

  /** The symbolic value: what the running trace has assigned, else the value at its start. */
  get value(): Tensor {
    const trace = currentTrace()
    trace?.reads.add(this)
    return trace?.assignments.get(this) ?? this.leaf
  }

  /** All values the variable has had in the running trace, the present one last. */
  get values(): readonly Tensor[] {
    return [...(currentTrace()?.earlier.get(this) ?? []), this.value]
  }

  /** Inside a traced function: the value the variable has from here on; that of another variable, if one is given. */
  assign(next: Tensor | Variable): void {
    const trace = currentTrace()
    if (!trace) {
      throw new TenfoldError(`variable ${this.#label}: assign works only inside a compiled function`, {
        hint: 'use `set` to change the numbers from outside',
      })
    }
    const value = tensorOf(`variable ${this.#label}`, next)
    if (value.dtype !== this.dtype || !sameShape(value.shape, this.shape)) {
      throw new ShapeError(`variable ${this.#label}: ${this.leaf} cannot take a value of type ${value}`)
    }
    trace.earlier.set(this, [...this.values])
    trace.assignments.set(this, value)
  }

  /** Copies numbers into the variable, from outside of compiled functions. Those that its dtype does not hold are an error. */
  set(values: TypedArray | readonly (number | bigint)[]): void {
    if (currentTrace())
      throw new TenfoldError(`variable ${this.#label}: set works only outside of compiled functions`, {
        hint: 'inside, it would happen once, when the function is traced: use `assign`',
      })
    if (!Array.isArray(values) && !ArrayBuffer.isView(values))
      throw new UsageError(
        `variable ${this.#label}: set takes a typed array or a list of numbers, found ${shown(values)}`,
      )
    this.#checkLength(values.length)
    const numbers = storesElements(values, this.dtype)
      ? values
      : fromNumbers(this.dtype, values, `variable ${this.#label}`)
    if (isResident(this.#front)) {
      this.#front.release()
      this.#front = allocate(this.dtype, this.size)
    }
    const target = this.#front
    if (target instanceof BigInt64Array) target.set(numbers as BigInt64Array)
    else target.set(numbers as Exclude<TypedArray, BigInt64Array>)
  }

  /** The buffer that the coming call may write the new value into. */
  get backBuffer(): TypedArray {
    if (this.#back === undefined || isResident(this.#back)) this.#replaceBack(allocate(this.dtype, this.size))
    return this.#back as TypedArray
  }

  #replaceBack(next: TypedArray | Resident): void {
    if (isResident(this.#back)) this.#back.release()
    this.#back = next
  }

  /** How often the numbers were replaced by a call: tells whether a call's values are still the present ones. */
  get writes(): number {
    return this.#writes
  }

  /** Takes what a call wrote, the back buffer or numbers of the runtime's own, as the present value; the one before is kept for `revert`. */
  take(next: TypedArray | Resident): void {
    if (next !== this.#back) this.#replaceBack(next)
    this.revert()
  }

  /** Goes back to the value before the last call. */
  revert(): void {
    const back = this.#back ?? this.backBuffer
    this.#back = this.#front
    this.#front = back
    this.#writes++
  }

  toString(): string {
    return `Variable ${this.name ? `${this.name} ` : ''}${this.leaf}`
  }

  /** Refuses JavaScript's operators, which would make a number or text of it; only template strings may. */
  [Symbol.toPrimitive](hint: string): string {
    return primitiveOf(this, hint)
  }

  /** What `console.log` shows in Node. */
  [inspectSymbol](): string {
    return isResident(this.#front) ? `${this} (on the graphics processor)` : `${this} ${formatNumbers(this.array)}`
  }
}

refuseIteration(Variable)

/** Brings the numbers of variables back from the graphics processor; see `Variable.fetch`. Takes what `variables()` of modules and optimizers give, too. */
export async function fetchVariables(variables: Iterable<Variable | readonly [string, Variable]>): Promise<void> {
  for (const each of variables) await (each instanceof Variable ? each : each[1]).fetch()
}

/** A tensor, or a variable's value; else an error that begins with `owner`. */
export function tensorOf(owner: string, value: Tensor | Variable): Tensor {
  if (value instanceof Variable) return value.value
  if (value instanceof Tensor) return value
  throw noTensor(owner, value)
}
