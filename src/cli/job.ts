/** A job as run by the command `run`: lock, progress, interrupts. */
import { existsSync } from 'node:fs'
import type { Job, System } from '../systems/define.ts'
import { type JobOptions, runJob } from '../systems/jobs.ts'
import { lockFolder } from '../train/lock.ts'
import type { Settings } from '../train/settings.ts'
import { UsageError } from '../util/errors.ts'
import { interruptExitCode, interruptSignal } from './interrupt.ts'
import { requireReportPackages } from './report.ts'
import type { Reporter } from './ui.ts'

/** Runs a job to its end or to an interrupt, at which it says what it is `stopping`. */
export async function runJobHere(
  system: System,
  job: Job,
  config: Settings,
  options: Omit<JobOptions, 'progress' | 'signal' | 'making'>,
  reporter: Reporter,
  stopping = 'stopping after this part',
): Promise<void> {
  const { folder, share, onlyFinished = false } = options
  requireReportPackages(job.packages?.(config))
  if (!onlyFinished) job.requirePrograms?.(config)
  if (onlyFinished && !existsSync(folder)) {
    throw new UsageError(`${folder}: there is no such folder, so nothing is finished`, {
      hint: 'was it run with --out?',
    })
  }
  // A page of what is finished may be wanted while others work.
  const lock = onlyFinished ? undefined : await lockFolder(folder, { shared: share !== undefined })
  let isTold = onlyFinished
  // Not before something is made: a folder that stays empty is removed.
  const tellFolder = (): void => {
    if (isTold) return
    isTold = true
    if (share) reporter.say(`process ${share.index} of ${share.of} that share ${folder}; finished parts are kept`)
    else reporter.say(`results in ${folder}; finished parts are kept: run the same command to continue`)
  }
  const { signal, dispose } = interruptSignal(reporter, stopping)
  const progress: JobOptions['progress'] = (line, fields) => {
    tellFolder()
    reporter.say(line)
    reporter.event('part', { ...fields })
  }
  try {
    const { page, json, missing } = await runJob(system, job, config, {
      ...options,
      progress,
      signal,
      making: (name) => {
        tellFolder()
        reporter.working(name)
      },
    })
    if (missing.length > 0) reporter.say(`missing    ${missing.join(', ')}`)
    reporter.say(`report     ${page}`)
    reporter.event('done', { metrics: {}, report: page, file: json, ...(onlyFinished && { missing }) })
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
    reporter.say('interrupted; run the same command to continue')
    reporter.event('interrupted', { folder })
    process.exitCode = interruptExitCode(signal.reason)
  } finally {
    reporter.working(undefined)
    dispose()
    lock?.release()
  }
}
