/** State dicts: the numbers of named variables, out and in. */
import { optionsOf, requireFlag, shown } from '../util/check.ts'
import { ShapeError, UsageError } from '../util/errors.ts'
import { nearestNames } from '../util/words.ts'
import { checkedArray, type NDArray } from './dtype.ts'
import { formatShape, sameShape } from './shape.ts'
import type { Variable } from './variable.ts'

export interface LoadOptions {
  /** Whether names must agree exactly. Shapes always must. Default: true. */
  readonly strict?: boolean
}

/** Names that only one side has. */
export interface StateDifference {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

type Named = Iterable<readonly [string, Variable]>

/** Copies of the numbers, by name. */
export function copyState(variables: Named): Map<string, NDArray> {
  return new Map([...variables].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data: data.slice() }]))
}

function list(label: string, names: readonly string[]): string[] {
  if (names.length === 0) return []
  const shown = names.slice(0, 5).join(', ')
  return [`${label} ${shown}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`]
}

/** Whether an array of the one shape fits a variable of the other: a scalar may be stored as [1], as old files of PyTorch have it. */
const fitsShape = (shape: readonly number[], wanted: readonly number[]): boolean =>
  sameShape(shape, wanted) || (wanted.length === 0 && sameShape(shape, [1]))

/**
 * Copies numbers into the variables. Throws a ShapeError naming everything that does not fit, and then changes nothing.
 * A variable may have several names (tied weights): one of them is enough.
 */
export function loadState(
  owner: string,
  variables: Named,
  state: ReadonlyMap<string, NDArray>,
  options?: LoadOptions,
): StateDifference {
  const { strict = true } = optionsOf(owner, options, { strict: true }, UsageError)
  requireFlag(owner, 'strict', strict, UsageError)
  if (typeof (state as Partial<typeof state> | undefined)?.has !== 'function')
    throw new UsageError(
      `${owner}: a state dict is a Map of arrays by name, as stateDict() and files give it, found ${shown(state)}`,
    )
  const named = new Map(variables)
  const given = new Set([...named].filter(([name]) => state.has(name)).map(([, variable]) => variable))
  const missing = [...named].filter(([, variable]) => !given.has(variable)).map(([name]) => name)
  const unexpected = [...state.keys()].filter((name) => !named.has(name))
  // All of them before the first is copied: nothing is loaded by half.
  for (const [name] of named) if (state.has(name)) checkedArray(`${owner}: ${name} of the state dict`, state.get(name))
  const misfits = (fits: (array: NDArray, variable: Variable) => boolean): string[] =>
    [...named].flatMap(([name, variable]) => {
      const array = state.get(name)
      if (!array || fits(array, variable)) return []
      return [`${name} (${variable.leaf}, found ${array.dtype}${formatShape(array.shape)})`]
    })
  const problems = [
    ...(strict ? list('missing', missing) : []),
    ...(strict ? list('unexpected', unexpected) : []),
    ...list(
      'of another shape',
      misfits(({ shape }, variable) => fitsShape(shape, variable.shape)),
    ),
    ...list(
      'of another type',
      misfits(({ dtype, shape }, variable) => dtype === variable.dtype || !fitsShape(shape, variable.shape)),
    ),
  ]
  if (problems.length > 0) {
    const [near] = missing[0] ? nearestNames(missing[0], unexpected, 1) : []
    throw new ShapeError(`${owner}: the state dict does not fit: ${problems.join('; ')}`, {
      ...(near && { hint: `"${near}" may be meant for "${missing[0]}"` }),
    })
  }
  for (const [name, variable] of named) {
    const array = state.get(name)
    if (array) variable.set(array.data)
  }
  return { missing, unexpected }
}
