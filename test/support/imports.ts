/** What the files of src import, read from their text. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const source = fileURLToPath(new URL('../../src', import.meta.url))

/** Every TypeScript file of src, as an absolute path. */
export const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(source, name))

/** A path as messages show it. */
export const shown = (file: string): string => relative(source, file)

export interface Import {
  /** An absolute path for a file of src, else as it is written: `zod`, `node:fs`, `#runtime`. */
  readonly target: string
  readonly typeOnly: boolean
}

// `import './x.ts'`, `import ... from`, `export ... from`, `import('./x.ts')`.
const statement = /^(?:import|export)\s+(?:(type\s+)?[^'"]*?from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

/** What a file imports, also later. */
export function importsOf(file: string): Import[] {
  return [...readFileSync(file, 'utf8').matchAll(statement)].map(([, type, target = '', later = target]) => ({
    target: later.startsWith('.') ? join(dirname(file), later) : later,
    typeOnly: type !== undefined,
  }))
}

/**
 * Everything that files import, directly or not and packages too, with the shortest chain of imports that leads there. `aliases`:
 * which files stand behind names such as `#runtime`.
 */
export function reachedFrom(
  roots: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): Map<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>(roots.map((file) => [file, [file]]))
  for (const [file, chain] of chains) {
    if (!isAbsolute(file)) continue
    for (const { target, typeOnly } of importsOf(file)) {
      const next = aliases[target] ?? target
      if (!typeOnly && !chains.has(next)) chains.set(next, [...chain, next])
    }
  }
  return chains
}
