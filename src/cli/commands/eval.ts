import type { Command } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { formatMetrics } from '../../train/describe-metrics.ts'
import { checkpointOption, examples, threadsOption } from '../options.ts'
import { createReporter, readingData, tellData } from '../ui.ts'

interface EvalFlags {
  readonly checkpoint: CheckpointChoice
  readonly threads?: number
  readonly json?: boolean
}

export function addEval(program: Command): void {
  program
    .command('eval')
    .description("evaluate a run's model on its test data")
    .argument('<dir>', 'run directory')
    .addOption(checkpointOption())
    .addOption(threadsOption())
    .option('--json', 'one JSON object per line')
    .addHelpText('after', examples('tenfold eval runs/quick', 'tenfold eval runs/quick --checkpoint best'))
    .action(async (dir: string, { json = false, ...flags }: EvalFlags) => {
      const { openRun, openData } = await import('../../systems/session.ts')
      const reporter = createReporter({ json })
      const opened = await openRun(dir, { ...flags, onWarning: reporter.warn })
      const data = await readingData(reporter, () => openData(opened))
      tellData(data.opening, reporter, true)
      const metrics = await opened.experiment.evaluate(data)
      reporter.say(
        `step ${opened.step}, ${data.testExamples ?? data.test.length} test examples: ${formatMetrics(metrics, opened.recipe.metrics)}`,
      )
      reporter.event('done', { metrics, step: opened.step })
    })
}
