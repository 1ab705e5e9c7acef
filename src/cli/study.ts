/** Runs a study: progress, interrupts, its page. */
import { join } from 'node:path'
import { writeFileAtomic } from '../io/atomic.ts'
import { renderReport } from '../report/render.ts'
import type { Study, StudyContext } from '../systems/define.ts'
import { lockFolder } from '../train/lock.ts'
import type { Settings } from '../train/settings.ts'
import { interruptExitCode, interruptSignal } from './interrupt.ts'
import { requireReportPackages } from './report.ts'
import type { Reporter } from './ui.ts'

export interface StudyOptions extends Omit<StudyContext, 'progress' | 'signal'> {
  readonly reporter: Reporter
}

/** Runs a study to its end (or to an interrupt) and writes `report.html` into its folder. */
export async function runStudy(study: Study, config: Settings, { reporter, ...options }: StudyOptions): Promise<void> {
  const { folder } = options
  requireReportPackages(study.packages?.(config))
  const lock = await lockFolder(folder)
  reporter.say(`results in ${folder}; what is finished is kept: the same command goes on`)
  const { signal, dispose } = interruptSignal(reporter, 'stopping after this member')
  try {
    const progress: StudyContext['progress'] = (line, fields) => {
      reporter.say(line)
      reporter.event('member', { ...fields })
    }
    const page = await study.run(config, { ...options, progress, signal })
    const path = join(folder, 'report.html')
    await writeFileAtomic(path, Buffer.from(await renderReport(page)))
    reporter.say(`report     ${path}`)
    reporter.event('done', { metrics: {}, report: path })
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error
    reporter.say('interrupted; the same command goes on')
    reporter.event('interrupted', { folder })
    process.exitCode = interruptExitCode(signal.reason)
  } finally {
    dispose()
    lock.release()
  }
}
