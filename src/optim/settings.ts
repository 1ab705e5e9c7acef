/** Checks of an optimizer's arguments, which may come from JavaScript or from a file. */
import { Variable } from '../tensor/variable.ts'
import { requireAtLeast, requireFinite, requireFlag, requireList, requireOptions, shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'

/** Settings that may change from step to step. */
const scheduled: ReadonlySet<string> = new Set(['lr', 'weightDecay'])

/** A setting must have the type of its default: a number (or a schedule), a list of as many numbers, true or false. */
function requireKind(owner: string, name: string, value: unknown, standard: unknown): void {
  if (scheduled.has(name)) {
    if (typeof value === 'function') return
    if (!Number.isFinite(value))
      throw new UsageError(`${owner}: ${name} must be a number or a schedule, found ${shown(value)}`)
  }
  if (Array.isArray(standard)) {
    const fits = Array.isArray(value) && value.length === standard.length && value.every(Number.isFinite)
    if (!fits)
      throw new UsageError(`${owner}: ${name} must be a list of ${standard.length} numbers, found ${shown(value)}`)
  } else if (typeof standard === 'boolean') requireFlag(owner, name, value as boolean, UsageError)
  // No setting of any optimizer makes sense below 0.
  else requireAtLeast(owner, name, value as number, 0, UsageError)
}

/** The defaults, overridden by the given options. Throws a UsageError for an option that is unknown or of the wrong kind, and if there is no lr. */
export function settingsOf<S extends object>(owner: string, defaults: object, options: Partial<S>): S {
  const standards = new Map<string, unknown>(Object.entries(defaults))
  requireOptions(owner, options ?? {}, ['lr', ...standards.keys()], UsageError)
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) requireKind(owner, name, value, standards.get(name))
  if (!given.some(([name]) => name === 'lr'))
    throw new UsageError(`${owner}: lr must be a number or a schedule, found none`)
  // Complete: the defaults have every setting except the learning rate, which was checked above.
  return { ...defaults, ...Object.fromEntries(given) } as S
}

/** The options of a function that needs some. Throws a UsageError for one that is not among `names`. */
export function requiredOptions<T extends object>(
  owner: string,
  options: T,
  names: Readonly<Record<keyof T & string, true>>,
): T {
  requireOptions(owner, options, Object.keys(names), UsageError)
  return options
}

/** Throws a UsageError unless all are finite numbers. */
export function requireNumbers(owner: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) requireFinite(owner, name, value, UsageError)
}

const listHint = 'pass model.parameters(), or a list of variables'

/** Throws unless it is a list. */
export function requireParameters(owner: string, parameters: readonly unknown[]): void {
  try {
    requireList(owner, 'parameters', parameters, UsageError)
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(error.message, { hint: listHint }) : error
  }
}

/** Throws unless all entries are variables. */
export function requireVariables(owner: string, parameters: readonly unknown[]): void {
  requireParameters(owner, parameters)
  const i = parameters.findIndex((entry) => !(entry instanceof Variable))
  if (i >= 0)
    throw new UsageError(`${owner}: parameter ${i} must be a variable, found ${shown(parameters[i])}`, {
      hint: listHint,
    })
}
