/** The form of a recipe, job or use: what was typed becomes the settings that the command line takes. */
import type { Field } from '../../protocol.ts'
import { formatSetting } from '../format.ts'

/** What was typed, by the paths of the fields; what is missing is as it is by default. */
export type Typed = Readonly<Record<string, string>>

/** A default as a field shows it. */
export function usualText({ default: usual }: Field): string {
  return formatSetting(usual)
}

/** The fields with other values than their defaults, as `path=value`. */
export function changedSettings(fields: readonly Field[], typed: Typed): string[] {
  return fields.flatMap((field) => {
    const text = typed[field.path]
    return text === undefined || text === usualText(field) ? [] : [`${field.path}=${text}`]
  })
}

/** The options of a use that are not their defaults. A list is written with commas, as on the command line. */
export function changedOptions(fields: readonly Field[], typed: Typed): Record<string, string> {
  const changed = fields.flatMap((field): [string, string][] => {
    const text = typed[field.path]
    if (text === undefined || text === usualText(field) || text === '') return []
    return [[field.path, field.kind === 'json' ? text.replace(/^\s*\[|\]\s*$/g, '') : text]]
  })
  return Object.fromEntries(changed)
}

/** Reads `path=value` settings, such as those of an earlier run, into what is typed. */
export function typedFrom(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const cut = setting.indexOf('=')
      return [setting.slice(0, cut), setting.slice(cut + 1)]
    }),
  )
}

/** Fields under the first part of their paths: `optimizer.lr` in `optimizer`. */
export function groupsOf(fields: readonly Field[]): { readonly name: string; readonly fields: readonly Field[] }[] {
  const groups = new Map<string, Field[]>()
  for (const field of fields) {
    const cut = field.path.indexOf('.')
    const name = cut < 0 ? '' : field.path.slice(0, cut)
    groups.set(name, [...(groups.get(name) ?? []), field])
  }
  return [...groups].map(([name, found]) => ({ name, fields: found }))
}

/** The field that an error of the command line is about: `setting "optimizer.lr": ...`. */
export function fieldOf(error: string, fields: readonly Field[]): string | undefined {
  const [, path = ''] = /setting "([^"]+)"/.exec(error) ?? /^([a-z_]+(?:\.[a-z_]+)+)\b/.exec(error) ?? []
  return fields.find((field) => field.path === path || path.startsWith(`${field.path}.`))?.path
}

/** What is wrong with whole numbers that were typed, by their names; empty: nothing. */
export function wrongWhole(typed: Typed): string {
  const wrong = Object.entries(typed).find(([, text]) => !/^\s*\d*\s*$/.test(text))
  return wrong ? `${wrong[0]} must be a whole number, found ${JSON.stringify(wrong[1])}` : ''
}

/** A whole number that was typed; undefined for nothing. */
export function wholeOf(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text)
}
