import type { Command } from 'commander'
import { examples } from '../options.ts'
import { createReporter } from '../ui.ts'

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('what a trained run says about files: pictures (PNG, JPEG, WebP) for picture classifiers')
    .argument('<dir>', 'run directory')
    .argument('<files...>', 'files to look at')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('tenfold predict runs/quick digit.png'))
    .action(async (dir: string, files: string[], flags: { json?: boolean }) => {
      const { openRun } = await import('../session.ts')
      const reporter = createReporter({ json: flags.json ?? false })
      const { experiment } = await openRun(dir)
      for (const prediction of await experiment.predict(files)) {
        reporter.event('prediction', { ...prediction })
        const best = prediction.choices.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`)
        reporter.say(`${prediction.file}: ${best.join(', ')}`)
      }
      reporter.event('done', { metrics: {} })
    })
}
