import type { Command } from 'commander'
import { UsageError } from '../../util/errors.ts'
import { suggestion } from '../../util/words.ts'
import { examples } from '../options.ts'

/** The command of that path, such as `tokenizer train`. */
function findCommand(program: Command, path: readonly string[]): Command {
  let found = program
  for (const name of path) {
    const inner = found.commands.find((command) => command.name() === name)
    if (!inner) {
      const known = found.commands.map((command) => command.name())
      throw new UsageError(`unknown command "${path.join(' ')}"`, { hint: suggestion(name, known) })
    }
    found = inner
  }
  return found
}

/** Replaces commander's own help command, which prints a page instead of a line for a wrong name. */
export function addHelp(program: Command): void {
  for (const command of [program, ...program.commands]) command.helpCommand(false)
  program
    .command('help')
    .description('what a command does, and its options')
    .argument('[command...]', 'a command, such as `train`')
    .addHelpText('after', examples('tenfold help train', 'tenfold help tokenizer train'))
    .action((path: string[]) => findCommand(program, path).outputHelp())
}
