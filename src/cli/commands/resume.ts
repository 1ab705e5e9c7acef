import type { Command } from 'commander'
import { examples } from '../options.ts'
import { createReporter } from '../ui.ts'

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('continue a run from its newest checkpoint, exactly as if it had not stopped')
    .argument('<dir>', 'run directory')
    .option(
      '--find-nan',
      'run the next step with every intermediate value checked, and name the first op that is not finite',
    )
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold resume runs/quick', 'tenfold resume runs/quick --find-nan'))
    .action(async (dir: string, flags: { findNan?: boolean; json?: boolean }) => {
      const [
        { configNow, openUntrained, openData },
        { checkBatchSize },
        { requireReportPackages },
        { trainRun },
        { newestCheckpoint },
      ] = await Promise.all([
          import('../session.ts'),
          import('../../train/data-settings.ts'),
          import('../report.ts'),
          import('../training.ts'),
          import('../../train/checkpoint.ts'),
        ])
      const reporter = createReporter({ json: flags.json ?? false })
      const opened = await openUntrained(dir)
      if (!flags.findNan) requireReportPackages(opened.recipe.packages?.(opened.config))
      const data = await openData(opened, reporter)
      checkBatchSize(opened.config, data.train)
      // Killed before its first checkpoint: it begins anew, and so from the weights it was to begin from.
      if (!(await newestCheckpoint(opened.run.checkpoints))) {
        const pretrained = await opened.recipe.pretrained?.(configNow(opened), data.facts)
        if (pretrained) opened.experiment.initialize?.(pretrained.weights)
      }
      if (flags.findNan) {
        const { findNotFinite } = await import('../find-nan.ts')
        await findNotFinite(opened, data, reporter)
        return
      }
      await trainRun(opened, data, reporter)
    })
}
