import type { Command } from 'commander'
import type { CheckpointChoice } from '../../train/checkpoint.ts'
import { checkpointOption, examples, positiveNumber, wholeNumber, wholeNumbers } from '../options.ts'
import { createReporter, formatMetric } from '../ui.ts'

interface FewShotFlags {
  readonly shots: readonly number[]
  readonly seeds: number
  readonly l2: number
  readonly data?: string
  readonly checkpoint: CheckpointChoice
  readonly json?: boolean
}

export function addFewShot(program: Command): void {
  program
    .command('fewshot')
    .description("how well a run's frozen features tell classes apart after a few examples of each (linear regression)")
    .argument('<dir>', 'run directory')
    .option('--shots <list>', 'examples of each class to learn from, with commas between', wholeNumbers(1), [1, 5, 10])
    .option('--seeds <n>', 'draws of these examples', wholeNumber(1), 3)
    .option('--l2 <x>', 'weight of the regulariser', positiveNumber, 1024)
    .option('--data <folder>', "other pictures, one sub-folder a class, half for testing (default: the run's own data)")
    .addOption(checkpointOption())
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      examples(
        'tenfold fewshot runs/quick',
        'tenfold fewshot runs/quick --shots 1,5,10,25 --seeds 5',
        'tenfold fewshot runs/photos --data other-photos',
      ),
    )
    .action(async (dir: string, flags: FewShotFlags) => {
      const [{ openRun }, { evaluateFewShot }] = await Promise.all([import('../session.ts'), import('../few-shot.ts')])
      const reporter = createReporter({ json: flags.json ?? false })
      const { data: folder, checkpoint, ...options } = flags
      const opened = await openRun(dir, { checkpoint, onWarning: reporter.warn })
      const outcome = await evaluateFewShot(opened, { ...options, ...(folder !== undefined && { folder }) }, reporter)
      const { classes, testExamples, smallestClass, rows } = outcome
      const percent = (value: number): string => formatMetric('accuracy', value).padStart(10)
      const head = [...Array.from({ length: flags.seeds }, (_, seed) => `seed ${seed}`), 'mean']
      reporter.say(`${classes} classes, ${testExamples} test examples, chance ${percent(1 / classes).trim()}`)
      reporter.say(`shots${head.map((text) => text.padStart(10)).join('')}`)
      for (const { shots, accuracies, mean } of rows) {
        reporter.say(`${String(shots).padStart(5)}${[...accuracies, mean].map(percent).join('')}`)
        for (const [seed, accuracy] of accuracies.entries()) reporter.event('fewshot', { shots, seed, accuracy })
      }
      if (smallestClass < Math.max(...flags.shots)) {
        reporter.say(`the smallest class has ${smallestClass} examples to learn from: with more shots, it gives all`)
      }
      reporter.event('done', {
        metrics: Object.fromEntries(rows.map(({ shots, mean }) => [`accuracy_${shots}_shot`, mean])),
        classes,
        testExamples,
        step: opened.step,
      })
    })
}
