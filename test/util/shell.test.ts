import { expect, test } from 'vitest'
import { pathArgument, shellQuoted } from '../../src/util/shell.ts'

test('an argument is quoted where a shell would read it otherwise', () => {
  expect(['--seed', 'model.dim=3', "it's", 'two words', ''].map(shellQuoted)).toEqual([
    '--seed',
    'model.dim=3',
    "'it'\\''s'",
    "'two words'",
    "''",
  ])
})

test('a path is no option', () => {
  expect(['runs/a', '-dash', '--out', '-two words', './-dash'].map(pathArgument)).toEqual([
    'runs/a',
    './-dash',
    './--out',
    "'./-two words'",
    './-dash',
  ])
})
