import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Recipe, System } from '../../systems/define.ts'
import type { Settings } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { quitOnInterrupt } from '../interrupt.ts'
import { collect, distributedOption, examples, newFile, wholeNumber, withComputing } from '../options.ts'
import { outputNoticed } from '../output.ts'
import type { TrainingResult, TrainRunOptions } from '../training.ts'
import { createReporter, type Reporter, readingData, silentReporter, tellData } from '../ui.ts'

interface TrainFlags {
  readonly set: string[]
  readonly steps?: number
  readonly epochs?: number
  readonly seed: number
  readonly out?: string
  readonly threads?: number
  readonly tensorboard?: boolean
  readonly profile?: string
  readonly distributed?: 'mpi'
  readonly json?: boolean
}

export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a recipe and write a run directory with checkpoints, metrics and a report')
    .argument('<recipe>', 'SYSTEM/RECIPE, as `tenfold list` shows them')
    .option('--set <path=value>', 'change a setting; may be repeated', collect, [])
    .option('--steps <n>', 'stop after this many steps', wholeNumber(1))
    .option('--epochs <n>', 'passes over the training data', wholeNumber(1))
  withComputing(command, 'run directory (default: runs/SYSTEM-RECIPE-TIME)')
    .option('--tensorboard', 'also write event files for TensorBoard, to DIR/tensorboard')
    .option(
      '--profile <file>',
      'write how the time of a step is spent, by kernel and by line of the model (.json or text)',
      newFile,
    )
    .addOption(distributedOption())
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold train mixer/mnist',
        'tenfold train mixer/mnist --epochs 2 --set optimizer.lr=0.002 --out runs/quick',
        'tenfold train mixer/images --set data.folder=photos',
        'mpirun -n 2 tenfold train mixer/mnist --distributed mpi --out runs/two',
        'tenfold train mixer/images --set data.folder=photos --set data.image_size=224 --set model.checkpoint=Mixer-B_16.npz',
      ),
    )
    .action((name: string, flags: TrainFlags) => quitOnInterrupt(() => trainNamed(name, flags)))
}

/** Reads the settings and trains in a new folder. */
async function trainNamed(name: string, flags: TrainFlags): Promise<void> {
  // Modules loaded from here on have source maps.
  if (flags.profile !== undefined) process.setSourceMapsEnabled(true)
  const [
    { findRecipe },
    { assignmentsOf, configFrom, pathSettings },
    { inNewRunFolder },
    { expandHomes },
    { requireReportPackages },
    { requireNotInput },
  ] = await Promise.all([
    import('../../systems/session.ts'),
    import('../../train/settings.ts'),
    import('../../train/new-run.ts'),
    import('../../train/places.ts'),
    import('../report.ts'),
    import('../../io/atomic.ts'),
  ])
  if (flags.profile !== undefined && flags.out !== undefined && resolve(flags.profile) === resolve(flags.out))
    throw new UsageError(`--profile is a file and --out a folder: both cannot be ${flags.out}`)
  const { system, recipe } = await findRecipe(name)
  const config = expandHomes(recipe.config, configFrom(recipe.config, assignmentsOf(flags.set, flags.epochs)))
  if (flags.profile !== undefined)
    await requireNotInput(flags.profile, [...pathSettings(recipe.config, config).values()], 'give another: --profile')
  const group = flags.distributed && (await (await import('../distributed.ts')).Group.join())
  const reporter = group?.isFollower
    ? silentReporter
    : createReporter({ json: flags.json ?? false, metrics: recipe.metrics })
  reporter.say(`${system.title}: ${recipe.summary}`)
  await outputNoticed()
  requireReportPackages(recipe.packages?.(config))
  const own = { ...flags, ...(group && { threads: group.threads(flags.threads) }) }
  if (group?.isFollower) {
    const prepared = await prepare({ recipe, config }, own, reporter)
    return group.follow({ ...prepared, name, steps: flags.steps ?? null, saveStart: prepared.start !== undefined })
  }
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')
  const folder =
    flags.out === undefined ? { like: join('runs', `${system.name}-${recipe.name}-${time}`) } : { path: flags.out }
  await inNewRunFolder(folder, async (path) => {
    await trainNew(path, { system, recipe, config }, own, reporter, { ...(group && { group }) })
  })
  await group?.close()
}

/** Opens the data and builds the model. */
async function prepare(
  { recipe, config }: { readonly recipe: Recipe; readonly config: Settings },
  { seed, threads }: Pick<TrainFlags, 'seed' | 'threads'>,
  reporter: Reporter,
) {
  const { prepareRun } = await import('../../systems/session.ts')
  const options = { seed, ...(threads !== undefined && { threads }) }
  return readingData(reporter, () => prepareRun(recipe, config, options, ({ opening }) => tellData(opening, reporter)))
}

/** Opens the data, builds the model, describes both in `run.json`, and trains. */
export async function trainNew(
  path: string,
  { system, recipe, config: chosen }: { system: System; recipe: Recipe; config: Settings },
  flags: Pick<TrainFlags, 'seed' | 'steps' | 'threads' | 'tensorboard' | 'profile'>,
  reporter: Reporter,
  { signal, group }: Partial<Pick<TrainRunOptions, 'signal' | 'group'>> = {},
): Promise<TrainingResult> {
  const [{ startRun }, { trainRun }] = await Promise.all([import('../../systems/session.ts'), import('../training.ts')])
  const { seed, steps, threads, tensorboard = false, profile } = flags
  const prepared = await prepare({ recipe, config: chosen }, flags, reporter)
  group?.requireParts(prepared, `${system.name}/${recipe.name}`)
  if (prepared.start !== undefined) reporter.say(prepared.start)
  const described = {
    seed,
    ...(threads !== undefined && { threads }),
    chosen,
    tensorboard,
    ...(steps !== undefined && { steps }),
  }
  const opened = await startRun(path, { system, recipe }, prepared, described)
  const around = {
    saveStart: prepared.start !== undefined,
    ...(profile !== undefined && { profile }),
    ...(signal && { signal }),
    ...(group && { group }),
  }
  return trainRun(opened, prepared.data, reporter, around)
}
