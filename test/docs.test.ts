/** Runs the TypeScript blocks of the documentation that are marked with `<!-- run -->`, against the built package. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

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

test('the documentation has blocks to run', () => expect(blocks.length).toBeGreaterThan(1))

test.each(blocks)('%s, block %i', (file, i, code) => {
  // Inside the package, so that `tenfold` means the package itself, for the compiler and for Node.
  const folder = join(root, 'dist', `docs-${process.pid}-${file.replace(/\W/g, '-')}-${i}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'block.ts'), code)
  try {
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
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['block.ts'] }))
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8', stdio: 'pipe' })
    const output = execFileSync(process.execPath, [join(folder, 'block.js')], { cwd: folder, encoding: 'utf8' })
    expect(output.length).toBeGreaterThan(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
