/** Axes of arguments whose size may change from call to call, by name. */

import { normalizeAxis } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { shown } from '../../util/check.ts'
import { UsageError } from '../../util/errors.ts'

/**
 * What stands in the place of an argument: for a tensor `{ axis: name }`, for a list or an object the same for its parts. Axes of one
 * name have one size in a call.
 */
export type DynamicAxes<T> = T extends Tensor
  ? { readonly [axis: number]: string }
  : T extends object
    ? { readonly [K in keyof T]?: DynamicAxes<T[K]> | undefined }
    : undefined

/** One dynamic axis of a tensor. */
export interface NamedAxis {
  readonly axis: number
  readonly name: string
}

/** Dynamic axes as declared, by the path of their tensor. */
export type DeclaredAxes = ReadonlyMap<string, readonly NamedAxis[]>

/** Reads the declaration for what has this path. `pathOf`: the path of a part. Throws a UsageError for what is none. */
export function readAxes(
  owner: string,
  declared: unknown,
  path: string,
  pathOf: (path: string, key: string, isList: boolean) => string,
): DeclaredAxes {
  const found = new Map<string, readonly NamedAxis[]>()
  const walk = (value: unknown, at: string): void => {
    if (value === undefined || value === null) return
    if (typeof value !== 'object')
      throw new UsageError(`${owner}: dynamic: for ${at} there must be { axis: name }, found ${shown(value)}`)
    const entries = Object.entries(value)
    const isAxes = !Array.isArray(value) && entries.some(([, name]) => typeof name === 'string')
    if (isAxes)
      found.set(
        at,
        entries.map(([axis, name]) => namedAxis(owner, at, axis, name)),
      )
    else for (const [key, part] of entries) walk(part, pathOf(at, key, Array.isArray(value)))
  }
  walk(declared, path)
  return found
}

function namedAxis(owner: string, path: string, key: string, name: unknown): NamedAxis {
  const axis = Number(key)
  if (!Number.isInteger(axis))
    throw new UsageError(`${owner}: dynamic: for ${path} there must be { axis: name }, found ${shown(key)} as an axis`)
  if (typeof name !== 'string' || !/^[A-Za-z_]\w*$/.test(name)) {
    throw new UsageError(
      `${owner}: dynamic: the name of axis ${axis} of ${path} must be of letters, digits and _, found ${shown(name)}`,
    )
  }
  return { axis, name }
}

/** The axes of one tensor, counted from the front. */
export function axesOf(owner: string, declared: readonly NamedAxis[], path: string, rank: number): NamedAxis[] {
  return declared.map(({ axis, name }) => {
    if (axis < -rank || axis >= rank)
      throw new UsageError(`${owner}: dynamic: ${path} has ${rank} axes, and none at ${axis} ("${name}")`)
    return { axis: normalizeAxis(owner, axis, rank), name }
  })
}

/** The sizes of names, from tensors one after the other. */
export class NamedSizes {
  readonly sizes = new Map<string, number>()
  readonly #places = new Map<string, string>()
  readonly #owner: string

  constructor(owner: string) {
    this.#owner = owner
  }

  /** Throws a UsageError if an axis has another size than one of the same name before it. */
  add({ axis, name }: NamedAxis, size: number, path: string): void {
    const known = this.sizes.get(name)
    const place = `${path} (axis ${axis})`
    if (known !== undefined && known !== size)
      throw new UsageError(
        `${this.#owner}: "${name}" is ${known} in ${this.#places.get(name)}, but ${size} in ${place}`,
      )
    if (known === undefined) this.#places.set(name, place)
    this.sizes.set(name, size)
  }
}
