/** Jobs on tiny settings. */
import { join } from 'node:path'
import type { Job, JobContext } from '../../../src/systems/define.ts'
import { keepIn } from '../../../src/systems/jobs.ts'
import { configFrom, parseAssignment } from '../../../src/train/settings.ts'

/** Runs a job with a few settings; returns its page and the names of its parts, those made anew marked. Parts are kept in the folder. */
export async function runTiny(folder: string, job: Job, sets: readonly string[]) {
  const parts: string[] = []
  const context: JobContext = {
    folder: join(folder, job.name),
    seed: 0,
    threads: 1,
    progress: (_line, { part, kept }) => void (typeof part === 'string' && parts.push(kept ? part : `new ${part}`)),
    keep: keepIn(join(folder, job.name)),
    write: () => Promise.reject(new Error('studies write no files')),
    openRun: () => Promise.reject(new Error('studies open no runs')),
  }
  const report = await job.run(configFrom(job.config, sets.map(parseAssignment)), context)
  return { report, parts }
}
