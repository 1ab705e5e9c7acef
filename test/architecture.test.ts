/** The shape of the code: imports point downward, no cycles, files stay short, systems look alike. */
import { readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { files, type Import, importsOf, source } from './support/imports.ts'

/** Lowest first; layers of one line may not import each other, unless it is the same folder. */
const layers = [
  ['util'],
  ['tensor'],
  ['ops'],
  ['autodiff'],
  ['runtime'],
  ['compile'],
  ['nn', 'optim'],
  ['io', 'data'],
  ['models'],
  ['train'],
  ['verify-target'],
  ['systems'],
  ['verify'],
  ['cli'],
  ['index.ts'],
]

/** `verify/target.ts` says what systems implement; the rest of `verify` runs them. */
function layerOf(file: string): number {
  const path = relative(source, file)
  const folder = path === join('verify', 'target.ts') ? 'verify-target' : (path.split(/[\\/]/)[0] ?? '')
  return layers.findIndex((names) => names.includes(folder))
}

/** What a file imports of src. */
const ownImportsOf = (file: string): Import[] => importsOf(file).filter(({ target }) => isAbsolute(target))

test('imports point downward', () => {
  const upward = files.flatMap((file) =>
    ownImportsOf(file)
      // The one type that points up: the kit of all ops that gradients are handed.
      .filter(({ target, typeOnly }) => layerOf(target) > layerOf(file) && !typeOnly)
      .map(({ target }) => `${relative(source, file)} -> ${relative(source, target)}`),
  )
  expect(upward).toEqual([])
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
    .filter(([, lines]) => lines > 450)
  expect(long).toEqual([])
})

describe('every system has the same files', () => {
  const systems = readdirSync(join(source, 'systems'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  test.each(systems.map(({ name }) => name))('%s', (name) => {
    const own = readdirSync(join(source, 'systems', name))
    for (const file of [
      'config.ts',
      'data.ts',
      'explain.ts',
      'index.ts',
      'model.ts',
      'official.ts',
      'train.ts',
      'verify.ts',
    ])
      expect(own).toContain(file)
  })
})
