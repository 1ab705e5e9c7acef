/**
 * Checks on arguments. Each throws an error that names the function or layer, its argument, what must hold and what was
 * found. Types are asked too: from JavaScript, or from a file, anything may come.
 */
import { ShapeError, type TenfoldError } from './errors.ts'

/** The error that is thrown. Default: ShapeError, that of operations. */
export type ErrorClass = new (message: string, options?: { hint?: string }) => TenfoldError

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : String(value)
}

function assert(
  owner: string,
  holds: boolean,
  argument: string,
  must: string,
  found: unknown,
  Thrown: ErrorClass,
): void {
  if (!holds) throw new Thrown(`${owner}: ${argument} must be ${must}, found ${show(found)}`)
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
