import type { Command } from 'commander'
import { examples, newFolder, wholeNumber } from '../options.ts'
import { createReporter } from '../ui.ts'

interface StudioFlags {
  readonly runs: string
  readonly port: number
  readonly open: boolean
  readonly json?: boolean
}

export function addStudio(program: Command): void {
  program
    .command('studio')
    .description('watch, compare, start and use runs in the browser: a server for this machine only')
    .option('--runs <dir>', 'folder of the runs', newFolder, 'runs')
    .option('--port <n>', 'port; 0: any that is free', wholeNumber(0, 65_535), 0)
    .option('--no-open', 'print the address, and open no browser')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold studio', 'tenfold studio --runs experiments --port 8080 --no-open'))
    .action(async (flags: StudioFlags) => {
      const { serveStudio } = await import('../studio.ts')
      await serveStudio(flags, createReporter({ json: flags.json ?? false }))
    })
}
