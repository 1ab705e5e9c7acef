/** The entry points of package.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reachedFrom, source } from './support/imports.ts'

interface Package {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

const { exports } = JSON.parse(readFileSync(join(source, '..', 'package.json'), 'utf8')) as Package
const entries = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string'
    ? []
    : [[name, join(source, '..', target.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts'))]],
)

test.each(entries)('%s: whoever has tensors can ask for their numbers', (_name, file = '') => {
  const reached = reachedFrom([file])
  if (!reached.has(join(source, 'tensor', 'tensor.ts'))) return
  expect(reached.has(join(source, 'compile', 'program.ts')), `${file} must import compile/program.ts, too`).toBe(true)
})
