/** Forms made of the schemas: of the settings of recipes and jobs, and of the options of uses. */
import { toJSONSchema, type z } from 'zod'
import type { Recipe, System } from '../../systems/define.ts'
import { findEntry } from '../../systems/session.ts'
import { describeSettings, type Settings } from '../../train/settings.ts'
import type { Entry, EntryForm, Field, UseForm } from '../protocol.ts'

interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly enum?: readonly unknown[]
  readonly isPath?: boolean
  readonly names?: readonly string[]
}

function schemaAt(schema: JsonSchema, path: readonly string[]): JsonSchema {
  return path.reduce<JsonSchema>((inner, key) => inner.properties?.[key] ?? {}, schema)
}

function kindOf({ type, enum: values, isPath }: JsonSchema, usual: unknown): Field['kind'] {
  if (values?.every((value) => typeof value === 'string')) return 'choice'
  if (isPath) return 'path'
  if (type === 'boolean') return 'switch'
  if (type === 'integer') return 'whole'
  if (type === 'number') return 'number'
  return type === 'string' && typeof usual === 'string' ? 'text' : 'json'
}

/** The fields of a schema, in its order. */
function fieldsOf(schema: z.ZodType<Settings>): Field[] {
  const json = toJSONSchema(schema, { io: 'input' }) as JsonSchema
  return describeSettings(schema).map(({ path, default: usual, description }) => {
    const found = schemaAt(json, path.split('.'))
    const kind = kindOf(found, usual)
    const choices = kind === 'choice' ? (found.enum ?? []) : (found.names ?? [])
    return { path, description, default: usual, kind, choices: choices.map(String) }
  })
}

/** All that can be started. */
export function entriesOf(systems: readonly System[]): Entry[] {
  return systems.flatMap(({ name: system, title, recipes = [], jobs = [] }) => [
    ...recipes.map(({ name, summary, metrics }): Entry => {
      return { name: `${system}/${name}`, kind: 'run', system: title, summary, metrics }
    }),
    ...jobs.map(({ name, summary }): Entry => {
      return { name: `${system}/${name}`, kind: 'job', system: title, summary, metrics: {} }
    }),
  ])
}

/** The form of a recipe or job. Rejects with a UsageError with similar names. */
export async function formOf(name: string): Promise<EntryForm> {
  const { kind, system, entry } = await findEntry(name)
  return {
    name,
    kind: kind === 'recipe' ? 'run' : 'job',
    system: system.title,
    paper: system.paper,
    summary: entry.summary,
    metrics: 'metrics' in entry ? entry.metrics : {},
    fields: fieldsOf(entry.config),
  }
}

/** The uses of a recipe's runs. */
export function usesOf({ uses = {} }: Recipe): UseForm[] {
  return Object.entries(uses).map(([name, { summary, inputs, options }]) => {
    return { name, summary, inputs, fields: fieldsOf(options) }
  })
}
