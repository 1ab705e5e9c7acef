/** What the files of src export, and who takes which of it; read from their text, as imports are. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { files, source } from './imports.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Stands for all names of a file. */
const all = '*'

const declaration =
  /^export\s+(?:abstract\s+)?(?:async\s+)?(function\*?|class|const|let|interface|type)\s+([A-Za-z_$][\w$]*)/gm
const list = /^export\s+(?:type\s+)?\{([^}]*)\}/gm
// `import { a, type b as c } from './x.ts'`, `export * from`, `import * as ns from`; indented in the scripts of Svelte.
const statement = /^[ \t]*(?:import|export)\s+(?:type\s+)?([^'"`;()]*?)\s*from\s+'(\.[^']+|#runtime)'/gm
const later = /\bimport\(\s*['"](\.[^'"]+)['"]/g
// What scripts load by its place in src: `imported(modules, 'pages/data/files.ts')`.
const named = /'((?:[\w-]+\/)+[\w.-]+\.ts)'/g

/** The two sides of the parts of `{ a, type b as c }`: name before and after `as`. */
function partsOf(braces: string): (readonly [name: string, as: string])[] {
  return braces.split(',').flatMap((part) => {
    const [name, as = name] = part
      .trim()
      .replace(/^type\s+/, '')
      .split(/\s+as\s+/)
    return name ? [[name, as ?? name] as const] : []
  })
}

/** The file of src that is meant; scripts and examples load what was built of it. */
function fileOf(user: string, target: string): string {
  const built = join(root, 'dist')
  const path = join(dirname(user), target)
  return path.startsWith(built) ? join(source, path.slice(built.length)).replace(/\.js$/, '.ts') : path
}

/** Everything that may import of src. */
function userTexts(): Map<string, string> {
  const outside = ['test', 'bench', 'scripts', 'examples', 'bin'].map((folder) => join(root, folder))
  const paths = [source, ...outside].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js|svelte)$/.test(name))
      .map((name) => join(folder, name)),
  )
  return new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]))
}

/** The names that are taken from each file of src. `entries`: files all of whose names are public. */
function takenNames(texts: ReadonlyMap<string, string>, entries: readonly string[]): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>(entries.map((file) => [file, new Set([all])]))
  const passedOn: (readonly [from: string, to: string])[] = []
  const take = (file: string, name: string): void => {
    const names = taken.get(file) ?? new Set()
    taken.set(file, names.add(name))
  }
  for (const [user, text] of texts) {
    for (const [, what = '', target = ''] of text.matchAll(statement)) {
      const targets =
        target === '#runtime'
          ? ['node.ts', 'web.ts'].map((name) => join(source, 'runtime', name))
          : [fileOf(user, target)]
      for (const file of targets) {
        if (what === '*') passedOn.push([file, user])
        else if (what.startsWith('*')) take(file, all)
        else for (const [name] of partsOf(/\{([^}]*)\}/.exec(what)?.[1] ?? '')) take(file, name)
      }
    }
    for (const [, target = ''] of text.matchAll(later)) take(fileOf(user, target), all)
    for (const [, target = ''] of user.endsWith('.js') ? text.matchAll(named) : []) take(join(source, target), all)
  }
  // `export *` passes names on, perhaps through several files.
  for (let size = -1, next = 0; size !== next; ) {
    size = next
    for (const [from, to] of passedOn) for (const name of taken.get(to) ?? []) take(from, name)
    next = [...taken.values()].reduce((total, names) => total + names.size, 0)
  }
  return taken
}

/** The names that a file exports by itself. Of a type only where its name stands nowhere else in the file. */
function exportedNames(text: string): string[] {
  const isAlone = (name: string): boolean => text.match(new RegExp(`(?<![\\w$])${name}(?![\\w$])`, 'g'))?.length === 1
  const declared = [...text.matchAll(declaration)].flatMap(([, kind = '', name = '']) =>
    ['interface', 'type'].includes(kind) && !isAlone(name) ? [] : [name],
  )
  return [...declared, ...[...text.matchAll(list)].flatMap(([, braces = '']) => partsOf(braces).map(([, as]) => as))]
}

/**
 * Exported names that nothing imports and that are not public, as [file, name]. A type that its own file's functions take or give is no
 * finding: readers of their declarations want its name.
 */
export function unusedExports(entries: readonly string[]): (readonly [file: string, name: string])[] {
  const texts = userTexts()
  const taken = takenNames(texts, entries)
  return files.flatMap((file) => {
    const names = taken.get(file) ?? new Set()
    if (names.has(all)) return []
    return exportedNames(texts.get(file) ?? '').flatMap((name) => (names.has(name) ? [] : [[file, name] as const]))
  })
}
