/** What `npm pack` puts into the package. (`npm run check:package` packs, installs and runs it.) */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const packing = ['pack', '--dry-run', '--json', '--ignore-scripts', '--silent']
const [packed] = JSON.parse(
  execFileSync('npm', packing, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' }),
) as [{ files: { path: string }[] }]
const files = new Set(packed.files.map(({ path }) => path))
const among = (pattern: RegExp): string[] => [...files].filter((file) => pattern.test(file))

test('licences, documentation and pictures are in it, what only a clone needs is not', () => {
  for (const file of ['LICENSE', 'README.md', 'vendor/onnxruntime/LICENSE', 'vendor/onnxruntime/ThirdPartyNotices.txt'])
    expect(files).toContain(file)
  expect(among(/tsbuildinfo|^test|^bench|^scripts|^\.|node_modules/)).toEqual([])
  expect(among(/^docs\/images\//).length).toBeGreaterThan(0)
})

test('every entry point is in it', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, string | Record<string, string>> }
  const targets = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry),
  )
  expect(targets.filter((target) => !files.has(normalize(target)))).toEqual([])
})

test('every source map has its sources', () => {
  const maps = among(/^dist\/.*\.map$/)
  expect(maps.length).toBeGreaterThan(100)
  const missing = maps.flatMap((map) => {
    const { sources } = JSON.parse(read(map)) as { sources: string[] }
    return sources
      .map((source) => normalize(join(dirname(map), source)))
      .filter((source) => existsSync(join(root, source)) && !files.has(source))
  })
  expect(missing).toEqual([])
})

test('links of the documentation lead to files of the package', () => {
  const broken = among(/\.md$/).flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#)([^)\s#]+)[^)]*\)/g)]
      .map((match) => normalize(join(dirname(file), match[1] ?? '')))
      .filter((target) => !files.has(target) && among(new RegExp(`^${target}/`)).length === 0)
      .map((target) => `${file} -> ${target}`),
  )
  expect(broken).toEqual([])
})

const seenByPrograms = ['dist/index.d.ts', 'dist/entries/report.d.ts']
test.each(seenByPrograms)('the types that a program sees in %s need no newer TypeScript than 5.4', (entry) => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const match of read(file).matchAll(/from '(\.[^']+)\.(?:js|ts)'/g))
      visit(normalize(join(dirname(file), `${match[1]}.d.ts`)))
  }
  visit(entry)
  // A package's own types could ask for more, or for types that are not installed.
  const packages = [...seen].flatMap((file) =>
    [...read(file).matchAll(/(?:from|import\() ?['"]([^.'"][^'"]*)/g)].map((match) => match[1]),
  )
  expect(packages).toEqual([])
  // Typed arrays are generic since 5.7.
  expect([...seen].filter((file) => /\b\w+Array<ArrayBuffer/.test(read(file)))).toEqual([])
})

test("the package has no script that runs at its user's", () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toHaveProperty(name)
})

test('nothing that is installed with it runs a script at that', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean; dev?: boolean }>
  }
  expect(Object.keys(packages).filter((name) => packages[name]?.hasInstallScript && !packages[name].dev)).toEqual([])
})
