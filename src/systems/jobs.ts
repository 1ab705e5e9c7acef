/** Jobs: work in parts, which are kept, so that a stopped job can continue. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { makeFolder, writeFileAtomic } from '../io/atomic.ts'
import { renderReport } from '../report/render.ts'
import type { Settings } from '../train/settings.ts'
import { UsageError } from '../util/errors.ts'
import type { Job, JobContext, Kept, System } from './define.ts'
import { openRunOf } from './session.ts'

/** What a job needs from its environment. */
export type JobOptions = Omit<JobContext, 'keep' | 'write' | 'openRun'>

/** The pages that a job has written. */
export interface JobResult {
  readonly page: string
  /** The same as data. */
  readonly json: string
}

/** The part in a file; undefined if there is none, it is damaged, or it was made from something else. */
async function readPart<Part>(path: string, identity: string, schema: z.ZodType<Part>): Promise<Part | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const file = z.object({ identity: z.string(), part: schema }).parse(JSON.parse(text))
    return file.identity === identity ? file.part : undefined
  } catch {
    return undefined
  }
}

/** The `keep` of a job whose parts are files in a folder. */
export function keepIn(folder: string): JobContext['keep'] {
  return async <Part>(name: string, depends: unknown, schema: z.ZodType<Part>, make: () => Promise<Part>) => {
    const path = join(folder, `${name}.json`)
    const identity = JSON.stringify(depends)
    const kept = await readPart(path, identity, schema)
    if (kept !== undefined) return { part: kept, wasThere: true } satisfies Kept<Part>
    const part = await make()
    await mkdir(dirname(path), { recursive: true })
    await writeFileAtomic(path, Buffer.from(`${JSON.stringify({ identity, part }, null, 2)}\n`))
    return { part, wasThere: false } satisfies Kept<Part>
  }
}

/** Pixels are on the page; the data file leaves them out. */
function withoutPixels(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? undefined : value
}

/** Throws a UsageError for a folder with a training run or the results of another job: they would be written over. */
async function checkJobFolder(folder: string, name: string): Promise<void> {
  const names: string[] = await readdir(folder).catch(() => [])
  const hint = 'choose another --out'
  if (names.includes('run.json')) throw new UsageError(`${folder} holds a training run`, { hint })
  if (!names.includes('report.json')) return
  const text = await readFile(join(folder, 'report.json'), 'utf8').catch(() => '')
  const [, other] = /^\s*\{\s*"job":\s*"([^"]+)"/.exec(text) ?? []
  if (other !== undefined && other !== name)
    throw new UsageError(`${folder} holds the results of ${other}, not of ${name}`, { hint })
}

/** Runs a job to its end and writes its page `report.html`, and what is on it as `report.json`. */
export async function runJob(
  { name: system }: System,
  job: Job,
  config: Settings,
  options: JobOptions,
): Promise<JobResult> {
  const { folder, seed, threads } = options
  await checkJobFolder(folder, `${system}/${job.name}`)
  await makeFolder(folder)
  const write = async (name: string, content: Uint8Array | string): Promise<string> => {
    const path = join(folder, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFileAtomic(path, typeof content === 'string' ? Buffer.from(content) : content)
    return path
  }
  const report = await job.run(config, {
    ...options,
    keep: keepIn(folder),
    write,
    openRun: (path, recipe) => openRunOf(path, system, recipe),
  })
  const made = { job: `${system}/${job.name}`, seed, threads: threads ?? null, config, report }
  const json = await write('report.json', `${JSON.stringify(made, withoutPixels, 1)}\n`)
  return { page: await write('report.html', await renderReport(report)), json }
}
