/** A job with a few settings, in a folder of its own. */
import { join } from 'node:path'
import type { Job, JobContext } from '../../src/systems/define.ts'
import { keepIn } from '../../src/systems/jobs.ts'
import { configFrom, parseAssignment } from '../../src/train/settings.ts'

/** Runs the job; returns its page and the names of its parts, those made anew marked. */
export async function runTiny(job: Job, sets: readonly string[], folder: string) {
  const parts: string[] = []
  const own = join(folder, job.name)
  const context: JobContext = {
    folder: own,
    seed: 0,
    threads: 1,
    progress: (_line, { part, kept }) => void (typeof part === 'string' && parts.push(kept ? part : `new ${part}`)),
    keep: keepIn(own),
    write: () => Promise.reject(new Error('studies write no files')),
    openRun: () => Promise.reject(new Error('studies open no runs')),
  }
  const report = await job.run(configFrom(job.config, sets.map(parseAssignment)), context)
  return { report, parts }
}
