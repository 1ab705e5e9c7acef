/** Runs the TypeScript blocks of the documentation that are marked with `<!-- run -->`, against the built package. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const files = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

const blocks = files.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/<!-- run -->\n```ts\n([\s\S]*?)```/g)].map(
    (match, i) => [file, i, match[1] ?? ''] as const,
  ),
)

// Inside the package, so that `tenfold` means the package itself, for the compiler and for Node.
const folder = join(root, 'dist', `docs-${process.pid}`)
const nameOf = (file: string, i: number): string => `${file.replace(/\W/g, '-')}-${i}`
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the documentation has blocks to run, and their types are right', () => {
  expect(blocks.length).toBeGreaterThan(1)
  mkdirSync(folder, { recursive: true })
  for (const [file, i, code] of blocks) writeFileSync(join(folder, `${nameOf(file, i)}.ts`), code)
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: '.',
    noEmit: false,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' })
  expect(stdout).toBe('')
})

test.each(blocks)('%s, block %i', async (file, i) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, `${nameOf(file, i)}.js`)], {
    cwd: folder,
  })
  expect(stdout.length).toBeGreaterThan(0)
})
