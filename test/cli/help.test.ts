/** What `--help` says: only what exists. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../src/cli/main.ts'
import { findEntry } from '../../src/systems/session.ts'
import { tenfold } from './process.ts'

interface Named {
  readonly path: string
  readonly command: Command
}

function commandsBelow(command: Command, path = ''): Named[] {
  return command.commands.flatMap((inner) => {
    const own = `${path} ${inner.name()}`.trim()
    return [{ path: own, command: inner }, ...commandsBelow(inner, own)]
  })
}

const program = await buildProgram()
const leaves = commandsBelow(program).filter(({ command }) => command.commands.length === 0)

function helpOf(path: string): string {
  let text = ''
  const command = commandsBelow(program).find((named) => named.path === path)?.command
  command?.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command?.outputHelp()
  return text
}

/** The words of an example, as a shell cuts them. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  )
}

const examples = leaves.flatMap(({ path }) =>
  helpOf(path)
    .split('\n')
    .filter((line) => line.startsWith('  tenfold '))
    .map((line) => [path, line.trim()] as const),
)

describe('examples', () => {
  test('every command has one', () => {
    const without = commandsBelow(program).filter(({ path }) => !/^ {2}tenfold /m.test(helpOf(path)))
    expect(without.map(({ path }) => path)).toEqual([])
  })

  test.each(examples)('%s: %s', async (path, line) => {
    const [, ...args] = words(line)
    const found = commandsBelow(program).find((named) => named.path === path)?.command
    expect(args.slice(0, path.split(' ').length)).toEqual(path.split(' '))
    // Parsed as the command line is, with the action left out; files that are to be written go to folders that are there.
    const parsed = found?.parseOptions(args.slice(path.split(' ').length))
    expect(parsed?.unknown).toEqual([])
    const [recipe = ''] = parsed?.operands ?? []
    if (['train', 'run', 'list'].includes(path) && recipe !== '')
      expect((await findEntry(recipe)).entry.name).toBe(recipe.split('/')[1])
  })
})

test('the version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await tenfold('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
})

test('help of one command, and of none that exists', async () => {
  expect(await tenfold('help', 'tokenizer', 'train')).toEqual({ code: 0, out: helpOf('tokenizer train'), err: '' })
  expect(await tenfold('help', 'tokenizer', 'trian')).toEqual({
    code: 2,
    out: '',
    err: 'error: unknown command "tokenizer trian" (did you mean "train"?)\n',
  })
})
