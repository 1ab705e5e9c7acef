import type { Command } from 'commander'
import { examples } from '../options.ts'
import { createReporter, formatMetrics } from '../ui.ts'

export function addEval(program: Command): void {
  program
    .command('eval')
    .description("evaluate a run's newest checkpoint on its test data")
    .argument('<dir>', 'run directory')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold eval runs/quick'))
    .action(async (dir: string, flags: { json?: boolean }) => {
      const { openRun, openData } = await import('../session.ts')
      const reporter = createReporter({ json: flags.json ?? false })
      const opened = await openRun(dir)
      const data = await openData(opened, reporter)
      const metrics = await opened.experiment.evaluate(data.test)
      reporter.say(`step ${opened.step}, ${data.test.length} test examples: ${formatMetrics(metrics)}`)
      reporter.event('done', { metrics, step: opened.step })
    })
}
