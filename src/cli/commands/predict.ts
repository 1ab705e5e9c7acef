import type { Command } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { checkpointOption, examples } from '../options.ts'
import { errorLine, note } from '../output.ts'
import { createReporter } from '../ui.ts'

interface PredictFlags {
  readonly checkpoint: CheckpointChoice
  readonly json?: boolean
}

export function addPredict(program: Command): void {
  program
    .command('predict')
    .description('what a trained run says about pictures (PNG, JPEG, WebP) or texts, as its recipe has it')
    .argument('<dir>', 'run directory')
    .argument('<inputs...>', 'picture files or texts')
    .addOption(checkpointOption())
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      examples('tenfold predict runs/quick digit.png', 'tenfold predict runs/words "Call me [MASK]."'),
    )
    .action(async (dir: string, inputs: string[], { checkpoint, json = false }: PredictFlags) => {
      const { openRun } = await import('../session.ts')
      const reporter = createReporter({ json })
      const { experiment, step } = await openRun(dir, { checkpoint, onWarning: reporter.warn })
      let failed = 0
      for await (const answer of experiment.predict(inputs)) {
        if ('error' in answer) {
          failed++
          const line = errorLine(answer.error)
          reporter.event('error', { input: answer.input, message: line })
          reporter.say(
            `${answer.input}: error: ${line.startsWith(`${answer.input}: `) ? line.slice(answer.input.length + 2) : line}`,
          )
          continue
        }
        reporter.event('prediction', { ...answer })
        const best = answer.choices.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`)
        reporter.say(`${answer.input}: ${best.join(', ')}`)
      }
      reporter.event('done', { metrics: {}, step, failed })
      if (failed === 0) return
      note(`error: ${failed} of ${inputs.length} inputs could not be used`)
      process.exitCode = 2
    })
}
