/** Configurations: one zod schema per recipe gives defaults, checks, types and what the command line may set. */
import { toJSONSchema, type z } from 'zod'
import { UsageError } from '../util/errors.ts'
import { suggestion } from '../util/names.ts'

/** A configuration as JSON: nested records of plain values. */
export type Settings = Record<string, unknown>

/** One `--set path=value`. */
export interface Assignment {
  readonly path: string
  readonly value: unknown
}

/** Reads `a.b=c`; the value is JSON where it parses as JSON (numbers, true, [1,2]), else a text. */
export function parseAssignment(text: string): Assignment {
  const cut = text.indexOf('=')
  if (cut <= 0) {
    throw new UsageError(`--set needs path=value, found "${text}"`, { hint: 'for example --set optimizer.lr=0.001' })
  }
  const raw = text.slice(cut + 1)
  try {
    return { path: text.slice(0, cut), value: JSON.parse(raw) }
  } catch {
    return { path: text.slice(0, cut), value: raw }
  }
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

/** A setting for people: what it is by default, and what it means. */
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
}

/** What stands at a path, or undefined. */
function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  let found = config
  for (const key of path) found = isRecord(found) || Array.isArray(found) ? (found as Settings)[String(key)] : undefined
  return found
}

/** A copy of `config` with one value replaced. The path must exist. */
function assign(config: Settings, { path, value }: Assignment): Settings {
  const known = settingPaths(config)
  if (!known.includes(path)) {
    throw new UsageError(`unknown setting "${path}"`, { hint: suggestion(path, known) })
  }
  const [head = '', ...rest] = path.split('.')
  if (rest.length === 0) return { ...config, [head]: value }
  const nested = config[head]
  return { ...config, [head]: assign(isRecord(nested) ? nested : {}, { path: rest.join('.'), value }) }
}

/** `train.epochs: must be a number, found "ten"`: the first problem zod found, in one line. */
function describeIssue(error: z.ZodError, config: unknown): string {
  const [issue] = error.issues
  if (!issue) return 'the configuration does not fit'
  const path = issue.path.map(String)
  const found = valueAt(config, path)
  if (issue.code === 'unrecognized_keys') return `unknown setting "${[...path, ...issue.keys].join('.')}"`
  return `setting "${path.join('.')}": ${issue.message.replace(/^Invalid input: /, '')}, found ${JSON.stringify(found)}`
}

/** Checks a whole configuration and fills in defaults. `source` names where it came from, for the error. */
export function checkConfig<T>(schema: z.ZodType<T>, config: unknown, source = ''): T {
  const result = schema.safeParse(config)
  if (result.success) return result.data
  throw new UsageError(`${source && `${source}: `}${describeIssue(result.error, config)}`)
}

/** The recipe's defaults with the command line's assignments applied, in order. */
export function configure<T extends Settings>(schema: z.ZodType<T>, assignments: readonly Assignment[]): T {
  const defaults = schema.parse({})
  const changed = assignments.reduce<Settings>(assign, defaults)
  return checkConfig(schema, changed)
}
