import { Command, CommanderError } from 'commander'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { addCommands } from './commands/index.ts'

/** Ends with one line for a user's mistake (exit code 2) or another known failure (1); a bug keeps its stack trace. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof TenfoldError) {
    const hint = error.hint ? ` (${error.hint})` : ''
    process.stderr.write(`error: ${error.message}${hint}\n`)
    return error instanceof UsageError ? 2 : 1
  }
  process.stderr.write(`tenfold has a bug:\n${error instanceof Error ? error.stack : String(error)}\n`)
  return 70
}

/** Runs the command line and returns the exit code. `args` without node and script. */
export async function main(args: readonly string[]): Promise<number> {
  const program = new Command('tenfold')
    .description('Ten landmark machine-learning systems, trained, run, explained and exported from TypeScript.')
    .showSuggestionAfterError()
    .showHelpAfterError(false)
    .configureOutput({ outputError: (text, write) => write(text.replace(/\n(?=.)/g, ' ')) })
    .exitOverride()
  addCommands(program)
  try {
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return explain(error)
  }
}
