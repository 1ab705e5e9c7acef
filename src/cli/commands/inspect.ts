import { join } from 'node:path'
import type { Command } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { checkpointOption, examples, newFile } from '../options.ts'
import { createReporter } from '../ui.ts'

interface InspectFlags {
  readonly out?: string
  readonly checkpoint: CheckpointChoice
  readonly json?: boolean
}

export function addInspect(program: Command): void {
  program
    .command('inspect')
    .description("draw a run's learned weights on one HTML page")
    .argument('<dir>', 'run directory')
    .option('--out <file>', 'page to write (default: inspect.html in the run directory)', newFile)
    .addOption(checkpointOption())
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold inspect runs/quick', 'tenfold inspect runs/quick --out weights.html'))
    .action(async (dir: string, flags: InspectFlags) => {
      const [{ openRun }, { writeInspection }] = await Promise.all([import('../session.ts'), import('../report.ts')])
      const reporter = createReporter({ json: flags.json ?? false })
      const opened = await openRun(dir, { checkpoint: flags.checkpoint, onWarning: reporter.warn })
      const path = flags.out ?? join(dir, 'inspect.html')
      await writeInspection(opened, path)
      reporter.say(`${path}: the weights at step ${opened.step}`)
      reporter.event('done', { metrics: {}, file: path, step: opened.step })
    })
}
