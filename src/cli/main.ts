import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import {
  errorLine,
  FormatError,
  MissingDataError,
  MissingPackageError,
  TenfoldError,
  UsageError,
} from '../util/errors.ts'
import { describeSystemError } from '../util/system-errors.ts'
import { addCommands } from './commands/index.ts'
import { Interruption } from './interrupt.ts'
import { note, watchOutput } from './output.ts'
import { addSystemsOf, takeSystems } from './own-systems.ts'
import { speakerPrefix } from './speaker.ts'

/** Errors in what tenfold was given: its options, files, packages, data sets. */
const usersToMend = [UsageError, FormatError, MissingPackageError, MissingDataError]

/**
 * Ends with one line for a user's mistake, bad input or what is not installed (exit code 2), or for another known failure (1); a bug keeps its stack
 * trace.
 */
async function explain(error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  // As requested: the message was already printed.
  if (error instanceof Interruption) return error.exitCode
  if (error instanceof TenfoldError) {
    note(`${await speakerPrefix()}error: ${errorLine(error)}`)
    return usersToMend.some((kind) => error instanceof kind) ? 2 : 1
  }
  const refusal = describeSystemError(error)
  if (refusal !== undefined) {
    note(`${await speakerPrefix()}error: ${refusal}`)
    return 2
  }
  note(`tenfold has a bug:\n${error instanceof Error ? error.stack : String(error)}`)
  return 70
}

function ownVersion(): string {
  const require = createRequire(import.meta.url)
  return (require('../../package.json') as { version: string }).version
}

/**
 * The command line. The commands that recipes declare are looked up where `args` may mean one: reading all systems takes longer
 * than most commands.
 */
export async function buildProgram(args: readonly string[] = ['help']): Promise<Command> {
  const program = new Command('tenfold')
    .description('Landmark machine-learning systems of 2021, trained, run, explained and exported from TypeScript.')
    .version(ownVersion(), '--version', 'print the version')
    // For the help: taken before anything else is read.
    .option('--system <file>', 'a module that exports a system of your own; with every command')
    .showSuggestionAfterError()
    .showHelpAfterError(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/\n(?=.)/g, ' ')) })
    .exitOverride()
  addCommands(program)
  const wanted = args.find((arg) => !arg.startsWith('-'))
  const isOwn = program.commands.some((command) => command.name() === wanted && wanted !== 'help')
  const onlyVersion = args.length === 1 && args[0] === '--version'
  if (isOwn || onlyVersion) return program
  const { addUses, systemsWith } = await import('./commands/uses.ts')
  addUses(program, await systemsWith(wanted, args))
  return program
}

/** Runs the command line and returns the exit code. `args` without node and script. */
export async function main(args: readonly string[]): Promise<number> {
  watchOutput()
  // Node's own way of printing warnings takes two lines, the second about Node.
  process.removeAllListeners('warning')
  process.on('warning', ({ message }) => note(`warning: ${message}`))
  try {
    const { rest, files } = takeSystems(args)
    await addSystemsOf(files)
    await (await buildProgram(rest)).parseAsync(rest, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return await explain(error)
  }
}
