import type { Command } from 'commander'
import { examples } from '../options.ts'

export function addList(program: Command): void {
  program
    .command('list')
    .description('list the systems and their recipes')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold list'))
    .action(async (options: { json?: boolean }) => {
      const { systems } = await import('../../systems/index.ts')
      for (const system of systems) {
        if (!options.json) console.log(`${system.title}  (${system.paper})`)
        for (const recipe of system.recipes) {
          const name = `${system.name}/${recipe.name}`
          const { summary } = recipe
          console.log(
            options.json ? JSON.stringify({ event: 'recipe', name, summary }) : `  ${name.padEnd(18)} ${summary}`,
          )
        }
      }
      if (options.json) console.log(JSON.stringify({ event: 'done', metrics: {} }))
    })
}
