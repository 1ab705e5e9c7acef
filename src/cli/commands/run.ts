import { join } from 'node:path'
import type { Command } from 'commander'
import { quitOnInterrupt } from '../interrupt.ts'
import { collect, examples, type ShareFlags, sharing, withComputing, withSharing } from '../options.ts'
import { outputNoticed } from '../output.ts'
import { createReporter } from '../ui.ts'

interface RunFlags extends ShareFlags {
  readonly set: string[]
  readonly seed: number
  readonly out?: string
  readonly threads?: number
  readonly json?: boolean
}

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description(
      'run a job of a system (a study, a comparison, a pipeline) and write its page; a stopped job continues',
    )
    .argument('<job>', 'SYSTEM/JOB, as `tenfold list` shows them')
    .option('--set <path=value>', 'change a setting; may be repeated', collect, [])
  withSharing(withComputing(command, 'where results are kept (default: runs/SYSTEM-JOB)'))
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'tenfold run mixer/scale',
        'tenfold run mixer/scale --set \'tasks=["mnist"]\' --set train.steps=1000',
        'tenfold run mixer/scale --array 1/4',
        'tenfold run mixer/scale --report-only',
        'tenfold run fnet/speed --set lengths=[512,2048] --set \'encoders=["FNet","BERT"]\'',
      ),
    )
    .action((name: string, flags: RunFlags) => quitOnInterrupt(() => runNamed(name, flags)))
}

async function runNamed(name: string, flags: RunFlags): Promise<void> {
  const [{ findJob }, { configFrom, parseAssignment }, { runJobHere }] = await Promise.all([
    import('../../systems/session.ts'),
    import('../../train/settings.ts'),
    import('../job.ts'),
  ])
  const { system, job } = await findJob(name)
  const config = configFrom(job.config, flags.set.map(parseAssignment))
  const reporter = createReporter({ json: flags.json ?? false })
  reporter.say(`${system.title}: ${job.summary}`)
  await outputNoticed()
  const folder = flags.out ?? join('runs', `${system.name}-${job.name}`)
  const options = { folder, seed: flags.seed, ...(flags.threads && { threads: flags.threads }), ...sharing(flags) }
  await runJobHere(system, job, config, options, reporter)
}
