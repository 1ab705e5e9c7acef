/** What is exported is used: a name that nothing imports is private, or dead. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unusedExports } from './support/exports.ts'
import { shown, source } from './support/imports.ts'

const { exports: published } = JSON.parse(readFileSync(join(source, '..', 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>
}

test('every exported name is imported somewhere, or public', () => {
  const entries = Object.values(published).flatMap((target) =>
    typeof target === 'string' ? [] : [join(source, target.types.replace('./dist/', '').replace(/\.d\.ts$/, '.ts'))],
  )
  expect(unusedExports(entries).map(([file, name]) => `${shown(file)}: ${name}`)).toEqual([])
})
