import type { Command } from 'commander'
import { examples } from '../options.ts'
import { createReporter } from '../ui.ts'

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('what a trained run says about pictures (PNG, JPEG, WebP) or texts, as its recipe has it')
    .argument('<dir>', 'run directory')
    .argument('<inputs...>', 'picture files or texts')
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      examples('tenfold predict runs/quick digit.png', 'tenfold predict runs/words "Call me [MASK]."'),
    )
    .action(async (dir: string, inputs: string[], flags: { json?: boolean }) => {
      const { openRun } = await import('../session.ts')
      const reporter = createReporter({ json: flags.json ?? false })
      const { experiment } = await openRun(dir)
      for (const prediction of await experiment.predict(inputs)) {
        reporter.event('prediction', { ...prediction })
        const best = prediction.choices.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`)
        reporter.say(`${prediction.input}: ${best.join(', ')}`)
      }
      reporter.event('done', { metrics: {} })
    })
}
