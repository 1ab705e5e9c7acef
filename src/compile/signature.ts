/** What distinguishes one call of a compiled function from another: the types of its tensors and its plain arguments. */
import type { NDArray } from '../tensor/dtype.ts'
import { sizeOf } from '../tensor/shape.ts'
import { constant, Tensor } from '../tensor/tensor.ts'
import { currentTrace } from '../tensor/trace.ts'
import { Variable } from '../tensor/variable.ts'
import { shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { axesOf, type DeclaredAxes, type NamedAxis, NamedSizes, readAxes } from './dynamic/axes.ts'

/** One argument or a part of it. Equal keys mean that the graph traced for one serves the other. */
interface Part {
  readonly path: string
  readonly key: string
  readonly text: string
  readonly isTensor: boolean
}

/** The arguments of one call. */
export interface Signature {
  readonly key: string
  readonly parts: readonly Part[]
  readonly values: readonly Tensor[]
  /** Sizes of the dynamic axes, but for those of size 0: these calls have a program of their own, since kernels differ there. */
  readonly sizes: ReadonlyMap<string, number>
  /** The dynamic axes of each of the values. */
  readonly axes: readonly (readonly NamedAxis[])[]
}

function isNDArray(value: unknown): value is NDArray {
  return (
    typeof value === 'object' &&
    value !== null &&
    // A variable is not a copy of its numbers: the function reads and assigns it.
    !(value instanceof Variable) &&
    'dtype' in value &&
    'shape' in value &&
    'data' in value &&
    ArrayBuffer.isView(value.data)
  )
}

/** Arrays and records are searched for tensors; everything else that is not a tensor is one static value. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  // An object with keys that cannot be listed (symbols, non-enumerable ones) is compared by identity.
  const isOpen = Reflect.ownKeys(value).length === Object.keys(value).length
  return isOpen && (prototype === Object.prototype || prototype === null)
}

/** Stands for an element that an array does not have, unlike one that is undefined. */
const hole = Symbol('hole')

/** Visits the tensors of nested arrays and records; `replace` gives what stands in their place in the copy. */
export function mapTensors(
  value: unknown,
  path: string,
  replace: (tensor: Tensor, path: string) => unknown,
  visit?: (value: unknown, path: string) => void,
  outer: readonly object[] = [],
): unknown {
  if (value instanceof Tensor) return replace(value, path)
  if (isNDArray(value)) return replace(constant(value.data, value.shape, value.dtype), path)
  if (!Array.isArray(value) && !isRecord(value)) {
    visit?.(value, path)
    return value
  }
  if (outer.includes(value)) throw new UsageError(`compile: ${path} contains itself`)
  const entries = Object.entries(value)
  if (entries.length === 0) visit?.(value, path)
  const inner = [...outer, value]
  if (Array.isArray(value)) {
    return Array.from(value, (item, i) => {
      if (!(i in value)) visit?.(hole, `${path}[${i}]`)
      return mapTensors(item, `${path}[${i}]`, replace, visit, inner)
    })
  }
  return Object.fromEntries(
    entries.map(([key, item]) => [key, mapTensors(item, `${path}${fieldPath(key)}`, replace, visit, inner)]),
  )
}

/** The path of a part of an argument. */
function pathOf(path: string, key: string, isList: boolean): string {
  return isList ? `${path}[${key}]` : `${path}${fieldPath(key)}`
}

/** `.key`, or `["a key"]` where that could be read in two ways. */
function fieldPath(key: string): string {
  return /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

const identities = new WeakMap<object, number>()
let identityCount = 0

/** A number unique to this object. */
function identityOf(value: object): number {
  const known = identities.get(value) ?? ++identityCount
  identities.set(value, known)
  return known
}

const symbolIdentities = new Map<symbol, number>()

/** Equal for equal plain values, and for one and the same object; Maps, Sets and typed arrays by what they hold. */
function keyOf(value: unknown, outer: readonly object[] = []): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'symbol':
      if (!symbolIdentities.has(value)) symbolIdentities.set(value, symbolIdentities.size)
      return `symbol ${symbolIdentities.get(value)}`
    case 'function':
      return `function #${identityOf(value)}`
    case 'object':
      return value === null ? 'null' : objectKey(value, outer)
    default:
      return String(value)
  }
}

function objectKey(value: object, outer: readonly object[]): string {
  if (outer.includes(value)) return `#${identityOf(value)}`
  const inner = [...outer, value]
  const list = (items: Iterable<unknown>): string => [...items].map((item) => keyOf(item, inner)).join(', ')
  if (Array.isArray(value)) return `[${list(Array.from(value, (item, i) => (i in value ? item : hole)))}]`
  if (value instanceof Map && Object.getPrototypeOf(value) === Map.prototype) return `Map {${list(value)}}`
  if (value instanceof Set && Object.getPrototypeOf(value) === Set.prototype) return `Set {${list(value)}}`
  if (isRecord(value)) return `{${list(Object.entries(value))}}`
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name} ${list(value as never)}`
  return `#${identityOf(value)}`
}

/** A static value as a message shows it. */
function textOf(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value !== 'object' || value === null) return keyOf(value)
  if (Array.isArray(value)) return 'an array'
  return isRecord(value) ? 'an object' : `a ${value.constructor.name || 'object'}`
}

/** Reads the arguments of a call. Throws a UsageError for a symbolic tensor, and for dynamic axes that do not fit. */
export function signatureOf(args: readonly unknown[], declared: DeclaredAxes = new Map()): Signature {
  const parts: Part[] = []
  const values: Tensor[] = []
  const paths: string[] = []
  for (const [i, arg] of args.entries()) {
    mapTensors(
      arg,
      argumentPath(i),
      (tensor, path) => {
        if (tensor.source.kind !== 'constant')
          throw new UsageError(`compile: ${path} is symbolic; a compiled function is called with numbers`, {
            hint: 'tensor(...) has some; of what an op computes: tensor(await value.numbers()), in its shape',
          })
        parts.push({ path, key: String(tensor), text: String(tensor), isTensor: true })
        values.push(tensor)
        paths.push(path)
      },
      (value, path) => parts.push({ path, key: keyOf(value), text: textOf(value), isTensor: false }),
    )
  }
  if (declared.size === 0) return { key: keyOfParts(parts), parts, values, sizes: new Map(), axes: [] }
  const { sizes, axes } = dynamicAxes(values, paths, declared)
  const types = new Map(axes.flatMap((list, i) => (list.length > 0 ? [[paths[i], sizedType(values[i], list)]] : [])))
  const named = parts.map((part) => {
    const type = types.get(part.path)
    return type === undefined ? part : { ...part, key: type, text: type }
  })
  return { key: keyOfParts(named), parts: named, values, sizes, axes }
}

function keyOfParts(parts: readonly Part[]): string {
  return parts.map(({ path, key }) => `${path}: ${key}`).join('\n')
}

/** The path of an argument of the function. */
export function argumentPath(i: number): string {
  return `argument [${i}]`
}

/** The axes that the option `dynamic` declares, by the path of their tensor. */
export function declaredAxes(dynamic: unknown): DeclaredAxes {
  if (dynamic === undefined) return new Map()
  if (!Array.isArray(dynamic))
    throw new UsageError(`compile: dynamic must be a list as the arguments are, found ${shown(dynamic)}`)
  return new Map(dynamic.flatMap((axes, i) => [...readAxes('compile', axes, argumentPath(i), pathOf)]))
}

/** `float32[8, length]`. */
function sizedType(tensor: Tensor | undefined, axes: readonly NamedAxis[]): string {
  const names = new Map(axes.map(({ axis, name }) => [axis, name]))
  return tensor ? `${tensor.dtype}[${tensor.shape.map((size, axis) => names.get(axis) ?? size).join(', ')}]` : ''
}

function dynamicAxes(
  values: readonly Tensor[],
  paths: readonly string[],
  declared: DeclaredAxes,
): Pick<Signature, 'sizes' | 'axes'> {
  const missing = [...declared.keys()].find((path) => !paths.includes(path))
  if (missing !== undefined)
    throw new UsageError(`compile: dynamic names ${missing}, which is no tensor in this call`, {
      hint: 'dynamic is a list as the arguments are: { axis: name } in the place of a tensor, the same nested in lists and objects',
    })
  const found = new NamedSizes('compile')
  const axes = values.map((tensor, i) => {
    const path = paths[i] ?? ''
    const list = axesOf('compile', declared.get(path) ?? [], path, tensor.rank)
    for (const named of list) found.add(named, sizeOf(tensor.shape, named.axis), path)
    return list
  })
  const sizes = new Map([...found.sizes].filter(([, size]) => size > 0))
  return { sizes, axes: axes.map((list) => list.filter(({ name }) => sizes.has(name))) }
}

/** The argument that makes this call unlike the one before, and what it was then. */
export interface Difference {
  readonly text: string
  readonly before: string | undefined
  readonly isTensor: boolean
}

/** What is new in a call, against the one before; undefined: no argument. */
export function differenceOf(signature: Signature, previous: Signature | undefined): Difference | undefined {
  const before = new Map(previous?.parts.map((part) => [part.path, part]))
  const isNew = ({ path, key }: Part): boolean => before.get(path)?.key !== key
  const part = signature.parts.find(isNew)
  if (!part) return undefined
  return { text: `${part.path}: ${part.text}`, before: before.get(part.path)?.text, isTensor: part.isTensor }
}

/**
 * Arguments for tracing, whose records note missing fields that the function accesses: the message of the op that
 * then gets `undefined` names them. `missing`: gets the same.
 */
export function watched(value: unknown, path: string, missing: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, i) => watched(item, `${path}[${i}]`, missing))
  if (!isRecord(value)) return value
  const fields = Object.entries(value).map(
    ([key, item]) => [key, watched(item, `${path}${fieldPath(key)}`, missing)] as const,
  )
  return new Proxy(Object.fromEntries(fields), {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && !(key in target)) {
        const told = `${path} has no field "${key}" (it has ${Object.keys(target).join(', ') || 'none'})`
        missing.push(told)
        currentTrace()?.missing.push(told)
      }
      return Reflect.get(target, key, receiver)
    },
  })
}
