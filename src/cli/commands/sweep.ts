import { join } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../../util/errors.ts'
import { quitOnInterrupt } from '../interrupt.ts'
import { collect, examples, type ShareFlags, sharing, wholeNumber, withComputing, withSharing } from '../options.ts'
import { outputNoticed } from '../output.ts'
import { createReporter } from '../ui.ts'

interface SweepFlags extends ShareFlags {
  readonly grid: string[]
  readonly seeds: number
  readonly set: string[]
  readonly steps?: number
  readonly epochs?: number
  readonly seed: number
  readonly out?: string
  readonly threads?: number
  readonly json?: boolean
}

export function addSweep(program: Command): void {
  const command = program
    .command('sweep')
    .description(
      'train a recipe with every combination of some settings, several seeds each, and write a page that compares; a stopped sweep continues',
    )
    .argument('<recipe>', 'SYSTEM/RECIPE, as `tenfold list` shows them')
    .option('--grid <path=values>', 'values of a setting, with commas between; may be repeated', collect, [])
    .option('--seeds <n>', 'trainings of each combination, with the seeds from --seed on', wholeNumber(1), 1)
    .option('--set <path=value>', 'change a setting of all trainings; may be repeated', collect, [])
    .option('--steps <n>', 'stop each training after this many steps', wholeNumber(1))
    .option('--epochs <n>', 'passes over the training data', wholeNumber(1))
  withSharing(withComputing(command, 'where trainings and results are kept (default: runs/SYSTEM-RECIPE-sweep)'))
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold sweep mixer/mnist --grid optimizer.lr=0.001,0.003 --seeds 3',
        "tenfold sweep mixer/mnist --grid optimizer.lr=0.001,0.003 --grid 'model.num_blocks=2,4' --epochs 1",
        'tenfold sweep mixer/mnist --grid optimizer.lr=0.001,0.003 --seeds 3 --array 1/2',
        'tenfold sweep mixer/mnist --grid optimizer.lr=0.001,0.003 --seeds 3 --report-only',
      ),
    )
    .action((name: string, flags: SweepFlags) => quitOnInterrupt(() => sweepNamed(name, flags)))
}

async function sweepNamed(name: string, flags: SweepFlags): Promise<void> {
  const [{ findRecipe }, { assignmentsOf }, { parseAxis }, { sweepJob }, { runJobHere }] = await Promise.all([
    import('../../systems/session.ts'),
    import('../../train/settings.ts'),
    import('../sweep/grid.ts'),
    import('../sweep/job.ts'),
    import('../job.ts'),
  ])
  const { system, recipe } = await findRecipe(name)
  const axes = flags.grid.map(parseAxis)
  if (axes.length === 0 && flags.seeds === 1) {
    throw new UsageError('there is nothing to compare', { hint: 'give --grid PATH=VALUE,VALUE or --seeds N' })
  }
  const common = assignmentsOf(flags.set, flags.epochs)
  const { seeds, steps, json = false } = flags
  const plan = { system, recipe, axes, common, seeds, ...(steps !== undefined && { steps }) }
  const { job, config, requireAll } = sweepJob(plan, json)
  const reporter = createReporter({ json })
  reporter.say(`${system.title}: ${recipe.summary}`)
  await outputNoticed()
  const folder = flags.out ?? join('runs', `${system.name}-${recipe.name}-sweep`)
  const options = { folder, seed: flags.seed, ...(flags.threads && { threads: flags.threads }), ...sharing(flags) }
  await runJobHere(system, job, config, options, reporter, 'stopping after this step')
  requireAll()
}
