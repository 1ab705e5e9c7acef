/** Copying the numbers of named variables out and in. */
import { ShapeError } from '../util/errors.ts'
import { nearestNames } from '../util/names.ts'
import type { NDArray } from './dtype.ts'
import { sameShape } from './shape.ts'
import type { Variable } from './variable.ts'

/** The names that a state dict lacked or had too many. */
export interface StateDifference {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

export interface LoadOptions {
  /** Whether missing and unexpected names are errors. Wrong shapes always are. Default: true. */
  readonly strict?: boolean
}

/** Copies of the variables' present numbers. */
export function copyState(variables: Iterable<readonly [string, Variable]>): Map<string, NDArray> {
  const state = new Map<string, NDArray>()
  for (const [name, { dtype, shape, data }] of variables) state.set(name, { dtype, shape, data: data.slice() })
  return state
}

const listed = 8

function list(names: readonly string[], describe: (name: string) => string): string {
  const shown = names.slice(0, listed).map(describe).join(', ')
  return names.length > listed ? `${shown} and ${names.length - listed} more` : shown
}

/**
 * Copies a state dict into variables, all or nothing. `owner` names them in the error. A variable may stand under
 * several names (tied weights): one of them is enough.
 */
export function loadState(
  owner: string,
  variables: Iterable<readonly [string, Variable]>,
  state: ReadonlyMap<string, NDArray>,
  { strict = true }: LoadOptions = {},
): StateDifference {
  const known = new Map(variables)
  const found = new Set([...known].filter(([name]) => state.has(name)).map(([, variable]) => variable))
  const missing = [...known].filter(([, variable]) => !found.has(variable)).map(([name]) => name)
  const unexpected = [...state.keys()].filter((name) => !known.has(name))
  const misshaped = [...known].flatMap(([name, { dtype, shape }]) => {
    const array = state.get(name)
    return array && (array.dtype !== dtype || !sameShape(array.shape, shape)) ? [name] : []
  })
  const problems: string[] = []
  if (strict && missing.length > 0) problems.push(`missing ${list(missing, (name) => `"${name}"`)}`)
  if (strict && unexpected.length > 0) {
    problems.push(
      `unexpected ${list(unexpected, (name) => {
        const [nearest] = nearestNames(name, missing.length > 0 ? missing : known.keys(), 1)
        return nearest === undefined ? `"${name}"` : `"${name}" (nearest: "${nearest}")`
      })}`,
    )
  }
  if (misshaped.length > 0) {
    problems.push(
      `mis-shaped ${list(misshaped, (name) => {
        const array = state.get(name)
        return `"${name}" (${known.get(name)?.leaf} expected, found ${array?.dtype}[${array?.shape.join(', ')}])`
      })}`,
    )
  }
  if (problems.length > 0) {
    throw new ShapeError(`${owner}: the state dict does not fit: ${problems.join('; ')}`, {
      hint:
        misshaped.length > 0
          ? 'was it saved with another configuration?'
          : 'pass { strict: false } to load what has the same name',
    })
  }
  for (const [name, variable] of known) {
    const array = state.get(name)
    if (array) variable.set(array.data)
  }
  return { missing, unexpected }
}
