/** Configurations: one zod schema per recipe gives defaults, checks, types and what the command line may set. */
import { toJSONSchema, z } from 'zod'
import { UsageError } from '../util/errors.ts'
import { suggestion } from '../util/words.ts'

/** A configuration as JSON: nested records of plain values. */
export type Settings = Record<string, unknown>

/** One `--set path=value`. */
export interface Assignment {
  readonly path: string
  readonly value: unknown
  /** As it was written: the value of a setting that is a text. */
  readonly raw?: string
}

/** A number of things, at least one. */
export const whole = z.number().int().positive()
/** A number of things, or none. */
export const count = z.number().int().min(0)
/** A part of a whole. */
export const share = z.number().min(0).max(1)

/**
 * A setting that names a file or folder; empty: none. A leading `~/` is the home folder, and a run finds it again from wherever it
 * is used. `names` are values with a meaning of their own; `usual`: the default.
 */
export function pathSetting(description: string, names: readonly string[] = [], usual = '') {
  return z.string().default(usual).meta({ description, isPath: true, names })
}

/** The command-line option of a use for one of its settings: `from_class` -> `--from-class`. */
export function flagOf(path: string): string {
  return `--${path.replaceAll('_', '-')}`
}

/** Reads `a.b=c`; the value is JSON where it parses as JSON (numbers, true, [1,2]), else a text. */
export function parseAssignment(text: string): Assignment {
  const cut = text.indexOf('=')
  if (cut <= 0) {
    throw new UsageError(`--set needs path=value, found "${text}"`, { hint: 'for example --set optimizer.lr=0.001' })
  }
  const raw = text.slice(cut + 1)
  const path = text.slice(0, cut)
  try {
    return { path, value: JSON.parse(raw), raw }
  } catch {
    return { path, value: raw, raw }
  }
}

/** The assignments of `--set`, and of `--epochs` if it was given. Throws a UsageError where both name the epochs. */
export function assignmentsOf(texts: readonly string[], epochs?: number): Assignment[] {
  const assignments = texts.map(parseAssignment)
  if (epochs === undefined) return assignments
  const path = 'train.epochs'
  const other = assignments.find((each) => each.path === path)
  if (other)
    throw new UsageError(`--epochs ${epochs} and --set ${path}=${other.raw} are the same setting: give one of them`)
  return [...assignments, { path, value: epochs }]
}

function isRecord(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every settable path of a configuration, dotted. */
export function settingPaths(config: Settings, prefix = ''): string[] {
  return Object.entries(config).flatMap(([key, value]) =>
    isRecord(value) ? settingPaths(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  )
}

/** A setting with its default and its meaning. */
export interface SettingDescription {
  readonly path: string
  readonly default: unknown
  /** Empty where the schema says nothing. */
  readonly description: string
}

/** Every settable path of a schema with its default and description, in the schema's order. */
export function describeSettings(schema: z.ZodType<Settings>): SettingDescription[] {
  const descriptions = new Map<string, string>()
  const visit = ({ properties = {}, description = '' }: JsonSchema, path: string): void => {
    descriptions.set(path, description)
    for (const [key, inner] of Object.entries(properties)) visit(inner, path ? `${path}.${key}` : key)
  }
  visit(toJSONSchema(schema, { io: 'input' }) as JsonSchema, '')
  const defaults = schema.parse({})
  return settingPaths(defaults).map((path) => ({
    path,
    default: valueAt(defaults, path.split('.')),
    description: descriptions.get(path) ?? '',
  }))
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly description?: string
  readonly isPath?: boolean
  readonly names?: readonly string[]
}

/** The settings of a configuration that name a file or folder, with their values; those that name none are left out. */
export function pathSettings(schema: z.ZodType<Settings>, config: Settings): Map<string, string> {
  const found = new Map<string, string>()
  const visit = ({ properties = {}, isPath, names = [] }: JsonSchema, path: readonly string[]): void => {
    const value = valueAt(config, path)
    if (isPath && typeof value === 'string' && value !== '' && !names.includes(value)) found.set(path.join('.'), value)
    for (const [key, inner] of Object.entries(properties)) visit(inner, [...path, key])
  }
  visit(toJSONSchema(schema, { io: 'input' }) as JsonSchema, [])
  return found
}

/** A copy of a configuration with other values at some paths. */
export function replaceSettings(config: Settings, values: ReadonlyMap<string, unknown>): Settings {
  return [...values].reduce<Settings>((changed, [path, value]) => assign(changed, { path, value }), config)
}

/** What stands at a path, or undefined. */
export function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  let found = config
  for (const key of path) found = isRecord(found) || Array.isArray(found) ? (found as Settings)[String(key)] : undefined
  return found
}

/** A copy of `config` with one value replaced. The path must exist. */
function assign(config: Settings, { path, value, raw }: Assignment): Settings {
  const known = settingPaths(config)
  if (!known.includes(path)) {
    throw new UsageError(`unknown setting "${path}"`, { hint: suggestion(path, known) })
  }
  const [head = '', ...rest] = path.split('.')
  const old = config[head]
  if (rest.length === 0) {
    // A text that looks like a number or a list is still a text: the folder 101.
    const isText = typeof old === 'string' && typeof value !== 'string' && raw !== undefined
    return { ...config, [head]: isText ? raw : value }
  }
  const inner = { path: rest.join('.'), value, ...(raw !== undefined && { raw }) }
  return { ...config, [head]: assign(isRecord(old) ? old : {}, inner) }
}

/** JSON, in which a number that is none has no form. */
const written = (value: unknown): string =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : JSON.stringify(value)

/** `train.epochs: must be a number, found "ten"`: the first problem zod found, in one line. */
function describeIssue(error: z.ZodError, config: unknown): string {
  const [issue] = error.issues
  if (!issue) return 'the configuration does not fit'
  const path = issue.path.map(String)
  const found = valueAt(config, path)
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => `"${[...path, key].join('.')}"`)
    return `unknown setting${unknown.length > 1 ? 's' : ''} ${unknown.join(', ')}`
  }
  if (found === undefined) return `setting "${path.join('.')}" is missing`
  const said = issue.message.replace(/^Invalid input: /, '')
  const must = typeof found === 'number' && !Number.isFinite(found) ? said.replace(/, received .*$/, '') : said
  return `setting "${path.join('.')}": ${must}, found ${written(found)}`
}

/** How a list is written, where something else was given for one: the quotes and brackets are easily forgotten in a shell. */
function listHint(error: z.ZodError, config: unknown): string | undefined {
  const [issue] = error.issues
  if (issue?.code !== 'invalid_type' || issue.expected !== 'array') return undefined
  const found = valueAt(config, issue.path)
  // Of [a,b] that lost its quotes: the words between the brackets.
  const words =
    typeof found === 'string'
      ? found
          .replace(/^\[|\]$/g, '')
          .split(',')
          .map((word) => word.trim())
      : [found]
  return `a list: --set '${issue.path.join('.')}=${JSON.stringify(words)}'`
}

/** Checks a whole configuration and fills in defaults. `source` names where it came from, for the error. */
export function checkConfig<T>(schema: z.ZodType<T>, config: unknown, source = ''): T {
  const result = schema.safeParse(config)
  if (result.success) return result.data
  const hint = listHint(result.error, config)
  throw new UsageError(
    `${source && `${source}: `}${describeIssue(result.error, config)}`,
    hint === undefined ? {} : { hint },
  )
}

/** The recipe's defaults with the command line's assignments applied, in order. */
export function configFrom<T extends Settings>(schema: z.ZodType<T>, assignments: readonly Assignment[]): T {
  const defaults = schema.parse({})
  const changed = assignments.reduce<Settings>(assign, defaults)
  return checkConfig(schema, changed)
}

/** The settings that are not the recipe's defaults, as `path=value` that `parseAssignment` reads. */
export function changedSettings(schema: z.ZodType<Settings>, config: Settings): string[] {
  const defaults = schema.parse({})
  return settingPaths(config).flatMap((path) => {
    const value = valueAt(config, path.split('.'))
    if (JSON.stringify(value) === JSON.stringify(valueAt(defaults, path.split('.')))) return []
    const isPlain = typeof value === 'string' && !value.startsWith('"') // else it would be read without its quotes
    return [`${path}=${isPlain ? value : JSON.stringify(value)}`]
  })
}
