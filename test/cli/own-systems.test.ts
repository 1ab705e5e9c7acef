import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { addSystemsOf, takeSystems } from '../../src/cli/own-systems.ts'
import { addSystem, systems } from '../../src/systems/index.ts'
import { findEntry } from '../../src/systems/session.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-own-'))
const known = [...systems]
afterAll(() => {
  rmSync(folder, { recursive: true })
  // Other tests of this worker see the list as it was.
  ;(systems as (typeof known)[number][]).splice(known.length)
})

function written(name: string, code: string): string {
  writeFileSync(join(folder, name), code)
  return join(folder, name)
}

test('--system is taken out of the arguments, wherever it is', () => {
  expect(takeSystems(['--system', 'a.js', 'train', 'a/b', '--system=c.js', '--steps', '1'])).toEqual({
    rest: ['train', 'a/b', '--steps', '1'],
    files: ['a.js', 'c.js'],
  })
  expect(() => takeSystems(['list', '--system'])).toThrow('--system needs a file')
})

test('a system of one file is found by name; what is none is one line', async () => {
  const system = "{ name: 'own', title: 'Own', paper: 'none', recipes: [{ name: 'first' }] }"
  const file = written('own.mjs', `export const own = ${system}\nexport const other = 1\n`)
  await addSystemsOf([file])
  expect((await findEntry('own/first')).system.title).toBe('Own')
  await addSystemsOf([file]) // the same again
  expect(() => addSystem({ name: 'mixer', title: '', paper: '' })).toThrow(
    'there is a system of the name "mixer" already',
  )
  const empty = written('empty.mjs', 'export const number = 1')
  await expect(addSystemsOf([empty])).rejects.toThrow(`${empty} exports no system`)
  await expect(addSystemsOf([join(folder, 'none.js')])).rejects.toThrow('none.js: no such file')
  await expect(addSystemsOf([written('broken.mjs', "import './missing.mjs'")])).rejects.toThrow(
    'broken.mjs: cannot be loaded',
  )
})
