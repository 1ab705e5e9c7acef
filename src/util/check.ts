/**
 * Checks of arguments. Each throws an error that names the function or layer, its argument, what must hold and what was
 * found. Types are checked too: values may come from JavaScript or from a file.
 */
import { ShapeError, type TenfoldError } from './errors.ts'
import { suggestion } from './words.ts'

/** The error that is thrown. Default: ShapeError, that of operations. */
export type ErrorClass = new (message: string, options?: { hint?: string }) => TenfoldError

/** A value of any kind as it stands in messages: texts in quotes, lists in brackets, and objects by their class. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return 'an object'
  // A tensor, a variable: their own text. Typed arrays would print all their numbers, modules their layers.
  const text = ArrayBuffer.isView(value) || value.toString === Object.prototype.toString ? '\n' : String(value)
  if (!text.includes('\n')) return text
  const { name } = value.constructor
  return `${/^[AEIOU]/.test(name) ? 'an' : 'a'} ${name}`
}

function assert(
  owner: string,
  holds: boolean,
  argument: string,
  must: string,
  found: unknown,
  Thrown: ErrorClass,
): void {
  if (!holds) throw new Thrown(`${owner}: ${argument} must be ${must}, found ${shown(found)}`)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value)
}

/** A whole number of at least `least`. */
export function requireCount(
  owner: string,
  argument: string,
  value: number,
  least = 0,
  Thrown: ErrorClass = ShapeError,
): void {
  const holds = Number.isSafeInteger(value) && value >= least
  assert(owner, holds, argument, `a whole number of at least ${least}`, value, Thrown)
}

/** A whole number. */
export function requireWhole(owner: string, argument: string, value: number, Thrown: ErrorClass = ShapeError): void {
  assert(owner, Number.isSafeInteger(value), argument, 'a whole number', value, Thrown)
}

/** A number, infinite or not, but not NaN. */
export function requireNumber(owner: string, argument: string, value: number, Thrown: ErrorClass = ShapeError): void {
  assert(owner, isNumber(value), argument, 'a number', value, Thrown)
}

/** A finite number. */
export function requireFinite(owner: string, argument: string, value: number, Thrown: ErrorClass = ShapeError): void {
  assert(owner, Number.isFinite(value), argument, 'a finite number', value, Thrown)
}

/** A number of at least `least`. */
export function requireAtLeast(
  owner: string,
  argument: string,
  value: number,
  least: number,
  Thrown: ErrorClass = ShapeError,
): void {
  assert(owner, isNumber(value) && value >= least, argument, `at least ${least}`, value, Thrown)
}

/** A number above 0. */
export function requirePositive(owner: string, argument: string, value: number, Thrown: ErrorClass = ShapeError): void {
  assert(owner, isNumber(value) && value > 0, argument, 'above 0', value, Thrown)
}

/** A number from `low` to `high`, both included. */
export function requireWithin(
  owner: string,
  argument: string,
  value: number,
  [low, high]: readonly [number, number],
  Thrown: ErrorClass = ShapeError,
): void {
  assert(owner, isNumber(value) && value >= low && value <= high, argument, `from ${low} to ${high}`, value, Thrown)
}

/** true or false. */
export function requireFlag(owner: string, argument: string, value: boolean, Thrown: ErrorClass = ShapeError): void {
  assert(owner, typeof value === 'boolean', argument, 'true or false', value, Thrown)
}

/** A text. */
export function requireText(owner: string, argument: string, value: string, Thrown: ErrorClass = ShapeError): void {
  assert(owner, typeof value === 'string', argument, 'a string', value, Thrown)
}

/** A list, of any length. */
export function requireList(
  owner: string,
  argument: string,
  value: readonly unknown[],
  Thrown: ErrorClass = ShapeError,
): void {
  assert(owner, Array.isArray(value), argument, 'a list', value, Thrown)
}

/** An object whose fields have names: the weights of a cell, say. */
export function requireFields(owner: string, argument: string, value: object, Thrown: ErrorClass = ShapeError): void {
  const holds = typeof value === 'object' && value !== null && !(Symbol.iterator in value)
  assert(owner, holds, argument, 'an object', value, Thrown)
}

/**
 * The options that were given: an object of settings, by name. undefined and null mean no options. Anything else that comes from
 * JavaScript (`gelu(x, 'tanh')`, a tensor instead of `{ weight }`) would be ignored silently, and so would a name that is not among
 * `names`.
 */
export function optionsOf<T extends object>(
  owner: string,
  options: T | null | undefined,
  names: Readonly<Record<keyof T & string, true>>,
  Thrown: ErrorClass = ShapeError,
): T | Partial<T> {
  if (options === undefined || options === null) return {}
  requireOptions(owner, options, Object.keys(names), Thrown)
  return options
}

/** An object of settings, all of which are known by name. */
export function requireOptions(owner: string, options: object, known: readonly string[], Thrown: ErrorClass): void {
  requireFields(owner, 'options', options, Thrown)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  // PyTorch's spelling: `ceil_mode` for `ceilMode`, `dim` for `axis`.
  const ours = ourNames.get(unknown) ?? unknown.replace(/_+(.?)/g, (_, letter) => letter.toUpperCase())
  const hint = known.includes(ours) ? `here it is "${ours}"` : suggestion(unknown, known)
  throw new Thrown(`${owner}: there is no option "${unknown}"`, { hint })
}

const ourNames: ReadonlyMap<string, string> = new Map([
  ['dim', 'axis'],
  ['keepdim', 'keepDims'],
  ['keepdims', 'keepDims'],
  ['padding_idx', 'paddingIndex'],
  ['paddingIdx', 'paddingIndex'],
  ['unbiased', 'correction'],
])

/** One of the names. */
export function requireOneOf(
  owner: string,
  argument: string,
  value: string,
  names: readonly string[],
  Thrown: ErrorClass = ShapeError,
): void {
  const last = names.at(-1) ?? ''
  const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${last}` : last
  assert(owner, names.includes(value), argument, list, value, Thrown)
}
