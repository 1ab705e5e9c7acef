import { type Command, Option } from 'commander'
import type { Group } from '../distributed.ts'
import { quitOnInterrupt } from '../interrupt.ts'
import { distributedOption, examples, threadsOption, wholeNumber } from '../options.ts'
import { createReporter, type Reporter, readingData, silentReporter, tellData } from '../ui.ts'

interface ResumeFlags {
  readonly epochs?: number
  readonly steps?: number
  readonly findNan?: boolean
  readonly threads?: number
  readonly distributed?: 'mpi'
  readonly json?: boolean
}

/** Opens a run to train on, with its data. A run without a checkpoint starts over. */
export async function openToTrain(
  dir: string,
  { epochs, steps, findNan, threads: wanted }: ResumeFlags,
  reporter: Reporter,
  group?: Group,
) {
  const [session, { RunDirectory }, { withEnd }, { checkBatchSize }, { requireReportPackages }] = await Promise.all([
    import('../../systems/session.ts'),
    import('../../train/run.ts'),
    import('../extend.ts'),
    import('../../train/data-settings.ts'),
    import('../report.ts'),
  ])
  const run = await RunDirectory.open(dir)
  session.requireRecipeRun(run)
  const extension = { ...(epochs !== undefined && { epochs }), ...(steps !== undefined && { steps }) }
  const longer = withEnd(run, extension)
  const threads = wanted ?? longer.description.threads
  const opened = await session.openUntrained(
    longer.changed({ threads: group ? group.threads(threads ?? undefined) : threads }),
  )
  if (!findNan) requireReportPackages(opened.recipe.packages?.(opened.config))
  // Checked first: opening the data may take a long time.
  const isNew = (await run.newestCheckpoint()) === undefined
  const data = await readingData(reporter, () => session.openData(opened))
  tellData(data.opening, reporter, true)
  checkBatchSize(opened.config, data.train)
  // Killed before its first checkpoint: it starts over, from the same initial weights.
  if (isNew) {
    reporter.warn(`${dir} was stopped before its first checkpoint: it starts over`)
    await session.restartFrom(opened, data)
  }
  reporter.useMetrics(opened.recipe.metrics)
  return { opened, data, ...(longer !== run && { extension }) }
}

async function resume(dir: string, flags: ResumeFlags, reporter: Reporter): Promise<void> {
  const [{ Group: joined }, { trainRun }, { RunDirectory }, { lockFolder }] = await Promise.all([
    import('../distributed.ts'),
    import('../training.ts'),
    import('../../train/run.ts'),
    import('../../train/lock.ts'),
  ])
  // Is there a run at all, before anything is written?
  await RunDirectory.open(dir)
  const group = flags.distributed && (await joined.join())
  if (group?.isFollower) return follow(group, dir, flags)
  const lock = await lockFolder(dir)
  try {
    const { opened, data, extension } = await openToTrain(dir, flags, reporter, group)
    await trainRun(opened, data, reporter, { ...(extension && { extension }), ...(group && { group }) })
  } finally {
    lock.release()
  }
  await group?.close()
}

/** Trains with the process that resumes the run. */
async function follow(group: Group, dir: string, flags: ResumeFlags): Promise<void> {
  const { opened, data } = await openToTrain(dir, flags, silentReporter, group)
  const { system, recipe, limits } = opened.run.description
  const { experiment } = opened
  await group.follow({ name: `${system}/${recipe}`, experiment, data, steps: limits.steps, saveStart: false })
}

export function addResume(program: Command): void {
  program
    .command('resume')
    .description('continue a run from its newest checkpoint, exactly as if it had not stopped')
    .argument('<dir>', 'run directory')
    .option(
      '--epochs <n>',
      'train for this many passes in total; the learning rate is planned again over them',
      wholeNumber(1),
    )
    .option('--steps <n>', 'train for this many steps in total, within the epochs', wholeNumber(1))
    .addOption(
      new Option(
        '--find-nan',
        'run the next step with every intermediate value checked, and name the first op that is not finite',
      ).conflicts(['epochs', 'steps']),
    )
    .addOption(threadsOption())
    .addOption(distributedOption().conflicts('findNan'))
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold resume runs/quick',
        'tenfold resume runs/quick --epochs 6',
        'tenfold resume runs/quick --find-nan',
      ),
    )
    .action(async (dir: string, flags: ResumeFlags) => {
      const reporter = createReporter({ json: flags.json ?? false })
      if (flags.findNan) {
        const { findNotFinite } = await import('../find-nan.ts')
        const { opened, data } = await openToTrain(dir, flags, reporter)
        return findNotFinite(opened, data, reporter)
      }
      return quitOnInterrupt(() => resume(dir, flags, reporter))
    })
}
