import { join } from 'node:path'
import type { Command } from 'commander'
import { collect, examples, newFolder, wholeNumber } from '../options.ts'
import { createReporter } from '../ui.ts'

interface StudyFlags {
  readonly set: string[]
  readonly seed: number
  readonly out?: string
  readonly threads?: number
  readonly json?: boolean
}

export function addStudy(program: Command): void {
  program
    .command('study')
    .description('train the many models of a study and write one page; a study that was stopped goes on')
    .argument('<study>', 'SYSTEM/STUDY, as `tenfold list` shows them')
    .option('--set <path=value>', 'change a setting; may be repeated', collect, [])
    .option('--seed <n>', 'of everything random', wholeNumber(0), 0)
    .option('--out <dir>', 'where results are kept (default: runs/SYSTEM-STUDY)', newFolder)
    .option('--threads <n>', 'threads that compute (default: all cores)', wholeNumber(1))
    .option('--json', 'one JSON object a line')
    .addHelpText(
      'after',
      examples(
        'tenfold study mixer/scale',
        'tenfold study mixer/scale --set \'tasks=["mnist"]\' --set train.steps=1000',
        'tenfold study mixer/permutation',
      ),
    )
    .action(async (name: string, flags: StudyFlags) => {
      const [{ findStudy }, { configure, parseAssignment }, { expandHomes }, { runStudy }] = await Promise.all([
        import('../session.ts'),
        import('../../train/settings.ts'),
        import('../../train/places.ts'),
        import('../study.ts'),
      ])
      const { system, study } = findStudy(name)
      const config = expandHomes(study.config, configure(study.config, flags.set.map(parseAssignment)))
      const reporter = createReporter({ json: flags.json ?? false })
      reporter.say(`${system.title}: ${study.summary}`)
      await runStudy(study, config, {
        folder: flags.out ?? join('runs', `${system.name}-${study.name}`),
        seed: flags.seed,
        ...(flags.threads && { threads: flags.threads }),
        reporter,
      })
    })
}
