/** The settings of a sweep: every combination of the values on its command line. */
import { type Assignment, parseAssignment } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'

/** A setting and the values that it takes. */
export interface Axis {
  readonly path: string
  readonly values: readonly Assignment[]
}

/** One combination of values. */
export interface Point {
  /** `optimizer.lr=0.001 model.depth=4`; of a sweep without axes `all settings`. Unique in the sweep. */
  readonly name: string
  readonly assignments: readonly Assignment[]
}

/** Splits at commas that are not inside brackets or quotes: `[8,16],[16,32]` are two values. */
export function splitValues(text: string): string[] {
  const values: string[] = []
  let [depth, isQuoted, current] = [0, false, '']
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted
    if (!isQuoted && '[{'.includes(character)) depth++
    if (!isQuoted && ']}'.includes(character)) depth--
    if (character === ',' && depth === 0 && !isQuoted) {
      values.push(current)
      current = ''
    } else current += character
  }
  return [...values, current].map((value) => value.trim())
}

/** Reads `optimizer.lr=0.001,0.003`. Throws a UsageError for what is not of that form, and for a value that is there twice. */
export function parseAxis(text: string): Axis {
  const cut = text.indexOf('=')
  const hint = 'for example --grid optimizer.lr=0.001,0.003'
  if (cut <= 0) throw new UsageError(`--grid needs path=value,value,..., found "${text}"`, { hint })
  const path = text.slice(0, cut)
  const values = splitValues(text.slice(cut + 1))
  if (values.includes('')) throw new UsageError(`--grid ${text}: a value is missing`, { hint })
  const assignments = values.map((value) => parseAssignment(`${path}=${value}`))
  const known = assignments.map(({ value }) => JSON.stringify(value))
  const twice = values.find((_, i) => known.indexOf(known[i] ?? '') < i)
  if (twice !== undefined) throw new UsageError(`--grid ${text}: the value ${twice} is there twice`)
  return { path, values: assignments }
}

/** All combinations, the last axis changing fastest. Throws a UsageError if a setting has two axes. */
export function pointsOf(axes: readonly Axis[]): Point[] {
  const paths = axes.map(({ path }) => path)
  const twice = paths.find((path, i) => paths.indexOf(path) < i)
  if (twice !== undefined) {
    throw new UsageError(`--grid ${twice} is there twice`, { hint: 'give all of its values in one' })
  }
  let combinations: (readonly Assignment[])[] = [[]]
  for (const { values } of axes)
    combinations = combinations.flatMap((before) => values.map((value) => [...before, value]))
  return combinations.map((assignments) => ({
    name: assignments.map(({ path, raw }) => `${path}=${raw}`).join(' ') || 'all settings',
    assignments,
  }))
}

/** Names for folders, one for each text: letters, digits and `.,=+-`, others as `_`; numbered where two would be the same. */
export function folderNames(texts: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return texts.map((text) => {
    const name = text.replaceAll(/[^\w.=+,-]+/g, '_').slice(0, 120)
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}-${count}`
  })
}
