/** The shape of the code: imports point downward, no cycles, files stay short, systems look alike. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { System } from '../src/systems/define.ts'
import { files, type Import, importsOf, shown, source } from './support/imports.ts'

/** Lowest first; layers of one line may not import each other. Types count too: who reads a file reads what it names. */
const layers = [
  ['util'],
  ['tensor'],
  ['linalg', 'ops'],
  ['autodiff'],
  ['runtime'],
  ['compile'],
  ['nn', 'optim'],
  ['io'],
  ['data'],
  ['report', 'models'],
  ['train'],
  ['web'],
  ['tasks'],
  ['verify'],
  ['systems'],
  ['studio'],
  ['cli'],
  ['index.ts', 'entries'],
  ['pages'],
]

function layerOf(file: string): number {
  const [folder = ''] = relative(source, file).split(/[\\/]/)
  return layers.findIndex((names) => names.includes(folder))
}

/** Whether two files lie in different folders of one layer. */
function isSibling(file: string, target: string): boolean {
  const folder = (path: string) => relative(source, path).split(/[\\/]/)[0]
  return layerOf(file) === layerOf(target) && folder(file) !== folder(target)
}

/** What a file imports of src. */
const ownImportsOf = (file: string): Import[] => importsOf(file).filter(({ target }) => isAbsolute(target))

test('imports point downward', () => {
  const upward = files.flatMap((file) =>
    ownImportsOf(file)
      .filter(({ target }) => layerOf(target) > layerOf(file) || isSibling(file, target))
      .map(({ target }) => `${relative(source, file)} -> ${relative(source, target)}`),
  )
  expect(upward).toEqual([])
})

test('only ops, gradients and the compiler import the kit of ops', () => {
  const kit = join(source, 'ops', 'kit.ts')
  const users = files
    .filter((file) => importsOf(file).some(({ target }) => target === kit))
    .map((file) => relative(source, file))
  expect(users.filter((file) => !/^((ops|autodiff|compile)[\\/]|entries[\\/]ops\.ts$)/.test(file))).toEqual([])
})

test('every file lies in a layer', () => {
  expect(files.filter((file) => layerOf(file) < 0).map((file) => relative(source, file))).toEqual([])
})

test('no import cycles', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      ownImportsOf(file)
        .filter(({ typeOnly }) => !typeOnly)
        .map(({ target }) => target),
    ]),
  )
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file))
      return [[...path.slice(path.indexOf(file)), file].map((step) => relative(source, step)).join(' -> ')]
    if (done.has(file)) return []
    const found = (graph.get(file) ?? []).flatMap((target) => visit(target, [...path, file]))
    done.add(file)
    return found
  }
  expect(files.flatMap((file) => visit(file, []))).toEqual([])
})

test('files stay short enough to read in one sitting', () => {
  const long = files
    .map((file) => [relative(source, file), readFileSync(file, 'utf8').split('\n').length] as const)
    .filter(([, lines]) => lines > 400)
  expect(long).toEqual([])
})

test('folders stay small enough to see at a glance', () => {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(shown(file)), (counts.get(dirname(shown(file))) ?? 0) + 1)
  expect([...counts].filter(([, count]) => count > 25)).toEqual([])
})

describe('systems', () => {
  const systems = readdirSync(join(source, 'systems'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const names = systems.map(({ name }) => name)
  test.each(names)('%s has the files of what it declares', async (name) => {
    const own = readdirSync(join(source, 'systems', name))
    const found: Record<string, System> = await import(`../src/systems/${name}/index.ts`)
    const [system] = Object.values(found)
    const wanted = ['index.ts', ...(system?.recipes ? ['config.ts', 'model.ts', 'recipes.ts', 'explain.ts'] : [])]
    for (const file of [...wanted, ...(system?.jobs ? ['jobs'] : [])]) expect(own).toContain(file)
    if (system?.targets) expect(own.some((file) => /^verify(\.ts)?$/.test(file))).toBe(true)
  })

  test.each(names)('%s imports no other system', (name) => {
    const others = names.filter((other) => other !== name).map((other) => join(source, 'systems', other))
    const inside = files.filter((file) => file.startsWith(join(source, 'systems', name, '/')))
    const reached = inside.flatMap((file) =>
      importsOf(file).filter(({ target }) => others.some((other) => target.startsWith(other))),
    )
    expect(reached).toEqual([])
  })
})
