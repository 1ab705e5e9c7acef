/** Time and memory, for the jobs that compare costs: each measurement in a process of its own, whose memory is then the measurement's. */
import { execFile } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { z } from 'zod'

/** What one process found out. */
export interface Cost {
  /** Shortest time of a call in milliseconds. */
  readonly milliseconds: number
  /** Peak memory of the process (resident set), in MiB, less what it had before the model was made. */
  readonly peakMebibytes: number
}

/** Short calls are measured for at least this long. */
const leastMilliseconds = 1500

/** Resident memory, in MiB: before a model is made. */
export function residentMebibytes(): number {
  return process.memoryUsage().rss / 2 ** 20
}

/**
 * The cost of a function after one call that is not measured. The shortest time is the one least disturbed by other work on the
 * machine; short calls are repeated to find it. `before`: `residentMebibytes` as it was before anything was made.
 */
export async function costOfCalls(call: () => Promise<unknown>, least: number, before: number): Promise<Cost> {
  await call()
  let [best, total] = [Number.POSITIVE_INFINITY, 0]
  for (let i = 0; i < least || (total < leastMilliseconds && i < 100 * least); i++) {
    const start = performance.now()
    await call()
    const time = performance.now() - start
    best = Math.min(best, time)
    total += time
  }
  return { milliseconds: best, peakMebibytes: process.resourceUsage().maxRSS / 1024 - before }
}

/**
 * What the script `name` beside a module gives for a task, in a new process: the script gets the task as JSON and prints JSON. A
 * process that is killed (for lack of memory) gives undefined.
 */
export async function measureApart<Result>(
  module: string,
  name: string,
  task: unknown,
  schema: z.ZodType<Result>,
  signal?: AbortSignal,
): Promise<Result | undefined> {
  const script = fileURLToPath(new URL(`./${name}${extname(module)}`, module))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(task)], {
      ...(signal && { signal }),
    })
    return schema.parse(JSON.parse(stdout))
  } catch (error) {
    signal?.throwIfAborted()
    if (typeof error === 'object' && error !== null && 'signal' in error && error.signal) return undefined
    throw error
  }
}
