/**
 * Pickles of NumPy arrays in dicts: Haiku's checkpoints (`pickle.dump(params)`, with NumPy's or JAX's arrays) and others of this kind.
 * Nothing in them is executed: of all classes and functions only those of arrays are known, and these make numbers.
 */
import { elementCount, type NDArray } from '../tensor/dtype.ts'
import { stridesOf } from '../tensor/shape.ts'
import { FormatError } from '../util/errors.ts'
import { latin1Bytes } from './bytes.ts'
import { arrayOrWords, elementBytes, gatherElements, isPlausibleShape, readElements } from './elements.ts'
import { damaged, quoted } from './errors.ts'
import { npyElement } from './npy.ts'
import { type PickleResolver, readPickle } from './pickle.ts'
import {
  PickleDict,
  PickleGlobal,
  PickleObject,
  PickleTuple,
  PickleUnbuilt,
  type PickleValue,
  sequence,
  wholeNumber,
} from './pickle-values.ts'
import type { TensorFile } from './tensor-format.ts'

const what = 'pickle'

/** A type of elements as NumPy names it, such as `f4`. */
class NumpyType {
  readonly name: string
  littleEndian = true
  constructor(name: string) {
    this.name = name
  }
}

/** An array, whose state comes after it is made. */
class NumpyArray {
  shape: readonly number[] = []
  type: NumpyType | undefined
  fortranOrder = false
  bytes: Uint8Array | undefined
}

/** Depth to which nested dicts and lists are followed. */
const maximumDepth = 64
// Nested containers may hold one another many times: their names are bounded together, in characters.
const maximumNames = 2 ** 25
// An array may be named many times, so that a small file could describe far more data than it has.
const maximumExpansion = 16
const freeExpansion = 2 ** 24

const itemsOf = (value: PickleValue | undefined): readonly PickleValue[] | undefined =>
  value instanceof PickleTuple || Array.isArray(value) ? sequence(value) : undefined

function typeOf(value: PickleValue | undefined): NumpyType | undefined {
  return value instanceof PickleObject && value.value instanceof NumpyType ? value.value : undefined
}

function shapeOf(value: PickleValue | undefined): number[] {
  const shape = (itemsOf(value) ?? [wholeNumber(value) ?? -1]).map((item) => wholeNumber(item) ?? -1)
  if (shape.some((size) => size < 0) || !isPlausibleShape(shape))
    throw damaged(`${what}: an array's shape must be sizes that an array can have`)
  return shape
}

/** `(version, shape, type, is Fortran's order, bytes)`, as NumPy's `__setstate__` takes it. */
function setState(array: NumpyArray, state: PickleValue | undefined): void {
  const [, shape, type, fortran, bytes] = itemsOf(state) ?? []
  array.shape = shapeOf(shape)
  array.type = typeOf(type)
  array.fortranOrder = fortran === true
  // Of arrays of objects it is a list.
  array.bytes = bytes instanceof Uint8Array ? bytes : undefined
}

/** `(3, byte order, ...)`: `>` is big-endian. */
function setOrder(type: NumpyType, state: PickleValue): void {
  type.littleEndian = itemsOf(state)?.[1] !== '>'
}

function arrayOf(shape: PickleValue | undefined, type: PickleValue | undefined, bytes: PickleValue | undefined) {
  const array = new NumpyArray()
  setState(array, new PickleTuple([1, shape ?? new PickleTuple([]), type ?? null, false, bytes ?? null]))
  return new PickleObject(array)
}

type Call = (args: readonly PickleValue[]) => PickleValue | undefined

const isReconstruct = (value: PickleValue | undefined): boolean =>
  value instanceof PickleGlobal && /^numpy\.(_core|core)\.multiarray\._reconstruct$/.test(value.name)

const calls: readonly (readonly [name: RegExp, call: Call])[] = [
  [/^numpy\.dtype$/, ([name]) => (typeof name === 'string' ? new PickleObject(new NumpyType(name)) : undefined)],
  [/^numpy\.(_core|core)\.multiarray\._reconstruct$/, () => new PickleObject(new NumpyArray())],
  [/^numpy\.(_core|core)\.multiarray\.scalar$/, ([type, bytes]) => arrayOf(undefined, type, bytes)],
  [
    // Protocol 5: `(bytes, type, shape, order)`.
    /^numpy\.(_core|core)\.numeric\._frombuffer$/,
    ([bytes, type, shape, order]) => {
      const made = arrayOf(shape, type, bytes)
      if (made.value instanceof NumpyArray) made.value.fortranOrder = order === 'F'
      return made
    },
  ],
  [
    // JAX: NumPy's function, its arguments, and the state that it is given.
    /^jax\..*\b_?reconstruct_(device_)?array$/,
    ([callee, , state]) => {
      if (!isReconstruct(callee)) return undefined
      const array = new NumpyArray()
      setState(array, state)
      return new PickleObject(array)
    },
  ],
  // Haiku's immutable dict is made of a dict.
  [/^haiku\..*\b(FlatMapping|FlatMap|frozendict)$/, ([dict]) => (dict instanceof PickleDict ? dict : undefined)],
  // Bytes as protocol 2 writes them: a text of their Latin-1 characters.
  [
    /^_codecs\.encode$/,
    ([text, code]) => (typeof text === 'string' && code === 'latin1' ? latin1Bytes(text) : undefined),
  ],
  [
    /^(builtins|__builtin__)\.(bytes|bytearray)$/,
    ([bytes]) => (bytes instanceof Uint8Array ? bytes : new Uint8Array()),
  ],
]

const numpyObjects: PickleResolver = {
  what,
  call: (name, args) => calls.find(([pattern]) => pattern.test(name))?.[1](args),
  build: (object, state) => {
    if (object instanceof NumpyArray) setState(object, state)
    if (object instanceof NumpyType) setOrder(object, state)
  },
  persistent: () => {
    throw damaged(`${what}: parts of it are stored elsewhere`)
  },
}

/** The numbers of an array, or what it is where it has none that are read. */
function numbersOf({ shape, type, fortranOrder, bytes }: NumpyArray, name: string): NDArray | string {
  const element = type && npyElement(type.name)
  if (!element || !bytes) return `array of ${type?.name ?? 'an unknown type'}`
  const tensor = `${what}: array ${quoted(name)}`
  if (!fortranOrder || elementCount(shape) * elementBytes(element) !== bytes.length)
    return arrayOrWords(() => readElements(tensor, element, shape, bytes, type.littleEndian))
  const strides = stridesOf(shape.toReversed()).toReversed()
  const rows = gatherElements(bytes, elementBytes(element), { offset: 0, shape, strides })
  return arrayOrWords(() => readElements(tensor, element, shape, rows, type.littleEndian))
}

/** Collects the leaves of nested dicts and lists under names with slashes between, as Haiku's modules have them. */
class Leaves {
  readonly tensors = new Map<string, NDArray>()
  readonly metadata: Record<string, string> = {}
  readonly leftOut = new Map<string, string>()
  #names = 0
  #budget: number

  /** `size`: bytes of the file. */
  constructor(size: number) {
    this.#budget = freeExpansion + maximumExpansion * size
  }

  visit(value: PickleValue, path: string, depth = 0): void {
    this.#names += path.length + 1
    if (this.#names > maximumNames) throw damaged(`${what}: its dicts and lists have more entries than any checkpoint`)
    if (depth > maximumDepth) throw damaged(`${what}: is nested deeper than ${maximumDepth} levels`)
    const entries = value instanceof PickleDict ? value.entries : itemsOf(value)?.entries()
    if (!entries) this.#leaf(value, path || 'array')
    else for (const [key, item] of entries) this.#entry(key, item, path, depth)
  }

  #entry(key: PickleValue, item: PickleValue, path: string, depth: number): void {
    if (typeof key === 'object' && key !== null)
      this.leftOut.set(path || 'the outermost dict', 'a key that is neither text nor number')
    else this.visit(item, path ? `${path}/${String(key)}` : String(key), depth + 1)
  }

  #leaf(value: PickleValue, name: string): void {
    if (this.tensors.has(name)) {
      throw new FormatError(`${what}: two arrays have the name ${quoted(name)}`, {
        hint: 'keys of nested dicts are joined by slashes: rename a key that has one',
      })
    }
    if (value instanceof PickleObject && value.value instanceof NumpyArray) {
      this.#budget -= value.value.bytes?.length ?? 0
      if (this.#budget < 0)
        throw damaged(`${what}: its arrays take more than ${maximumExpansion} times the file's size`)
      const found = numbersOf(value.value, name)
      if (typeof found === 'string') this.leftOut.set(name, found)
      else this.tensors.set(name, found)
    } else if (value instanceof PickleUnbuilt || value instanceof PickleGlobal) this.leftOut.set(name, value.name)
    else if (value !== null && typeof value !== 'object') this.metadata[name] = String(value)
    else if (value !== null) this.leftOut.set(name, value instanceof Uint8Array ? 'bytes' : 'a type of elements')
  }
}

/**
 * Reads the arrays of a pickle: nested dicts and lists become names with slashes (`params/linear/w`); numbers and texts go into
 * `metadata`; objects of other classes are never built, and stand in `leftOut`. Throws a FormatError on damaged pickles.
 */
export function readNumpyPickle(bytes: Uint8Array): TensorFile {
  const leaves = new Leaves(bytes.length)
  leaves.visit(readPickle(bytes, numpyObjects), '')
  const { tensors, metadata, leftOut } = leaves
  return { format: 'pickle', tensors, metadata, ...(leftOut.size > 0 && { leftOut }) }
}
