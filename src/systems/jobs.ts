/** Jobs: work in parts, which are kept, so that a stopped job can continue. */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder, writeFileAtomic } from '../io/atomic.ts'
import type { Report, Section } from '../report/figures.ts'
import { renderReport } from '../report/render.ts'
import { type Settings, settingPaths, valueAt } from '../train/settings.ts'
import { shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import { counted } from '../util/words.ts'
import type { Job, JobContext, System } from './define.ts'
import { keepIn, readIn, type Share, SharedParts } from './parts.ts'
import { openRunOf } from './session.ts'

export { keepIn } from './parts.ts'

/** What a job needs from its environment. */
export interface JobOptions extends Omit<JobContext, 'keep' | 'parts' | 'write' | 'openRun'> {
  /** Shares the parts with other processes that have the same folder. Default: makes all of them. */
  readonly share?: Share
  /** Makes no parts: the page is of what is finished, and says what is missing. Default: false. */
  readonly onlyFinished?: boolean
  /** Told the name of the part that is being made, and undefined when none is any more. */
  readonly making?: (name: string | undefined) => void
}

/** The pages that a job has written. */
export interface JobResult {
  readonly page: string
  /** The same as data. */
  readonly json: string
  /** The parts that are not on the page, as far as they are known; none unless only what is finished was asked for. */
  readonly missing: readonly string[]
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
  if (!names.includes('report.json')) {
    if (!names.includes('report.html')) return
    throw new UsageError(`${folder} holds a report.html that is of no job`, { hint })
  }
  const text = await readFile(join(folder, 'report.json'), 'utf8').catch(() => '')
  const [, other] = /^\s*\{\s*"job":\s*"([^"]+)"/.exec(text) ?? []
  if (other === undefined) throw new UsageError(`${folder} holds a report.json that is of no job`, { hint })
  if (other !== name) throw new UsageError(`${folder} holds the results of ${other}, not of ${name}`, { hint })
}

/** Throws a UsageError for a list with the same text twice: names of what is compared, which would be made and told twice. */
function requireDistinct(config: Settings): void {
  for (const path of settingPaths(config)) {
    const value = valueAt(config, path.split('.'))
    const texts: unknown[] = Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
    const twice = texts.find((text, i) => texts.indexOf(text) < i)
    if (twice !== undefined) throw new UsageError(`setting "${path}": ${shown(twice)} is there twice`)
  }
}

/** Runs a job to its end and writes its page `report.html`, and what is on it as `report.json`. */
export async function runJob(system: System, job: Job, config: Settings, options: JobOptions): Promise<JobResult> {
  const { folder, seed, threads } = options
  const name = `${system.name}/${job.name}`
  requireDistinct(config)
  await checkJobFolder(folder, name)
  await makeFolder(folder)
  const write = async (file: string, content: Uint8Array | string): Promise<string> => {
    const path = join(folder, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFileAtomic(path, typeof content === 'string' ? Buffer.from(content) : content)
    return path
  }
  const { report, missing } = await runIn(job, config, options, {
    write,
    openRun: (path, recipe) => openRunOf(path, system.name, recipe),
  })
  const told = options.onlyFinished ? { missing } : {}
  const made = { job: name, seed, threads: threads ?? null, config, ...told, report }
  const json = await write('report.json', `${JSON.stringify(made, withoutPixels, 1)}\n`)
  return { page: await write('report.html', await renderReport(report)), json, missing }
}

/** A `keep` that tells which part is being made; of parts within parts the innermost. */
function tellMaking(keep: JobContext['keep'], tell: NonNullable<JobOptions['making']>): JobContext['keep'] {
  let names: readonly string[] = []
  return (name, depends, schema, make) =>
    keep(name, depends, schema, async () => {
      names = [...names, name]
      tell(name)
      try {
        return await make()
      } finally {
        names = names.filter((other) => other !== name)
        tell(names.at(-1))
      }
    })
}

type Surroundings = Pick<JobContext, 'write' | 'openRun'>

/** Runs a job by itself, as one of several processes, or on what is finished. */
async function runIn(
  job: Job,
  config: Settings,
  options: JobOptions,
  surroundings: Surroundings,
): Promise<{ readonly report: Report; readonly missing: readonly string[] }> {
  const { folder, share, onlyFinished = false, progress, signal, making = () => {} } = options
  if (onlyFinished) return reportFinished(job, config, options, surroundings)
  if (!share) {
    const keep = keepIn(folder, (name) =>
      progress(
        `${folder} holds results of other settings: ${name} and what else differs is made again and replaces them (another --out keeps both)`,
        { replaced: name },
      ),
    )
    return {
      report: await job.run(config, { ...options, ...surroundings, keep: tellMaking(keep, making) }),
      missing: [],
    }
  }
  const parts = new SharedParts(folder, share, {
    ...(signal && { signal }),
    tellWaiting: (names) => {
      const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
      progress(`waiting for what other processes make: ${names.slice(0, 3).join(', ')}${more}`, { waiting: names })
    },
  })
  try {
    return {
      report: await job.run(config, {
        ...options,
        ...surroundings,
        parts: 'shared',
        keep: tellMaking(parts.keep, making),
      }),
      missing: [],
    }
  } catch (error) {
    await parts.close(error)
    throw error
  }
}

/** The job's page of the parts that are there; a plain list where the page cannot be made without the others. */
async function reportFinished(
  job: Job,
  config: Settings,
  options: JobOptions,
  surroundings: Surroundings,
): Promise<{ readonly report: Report; readonly missing: readonly string[] }> {
  const [there, missing]: [string[], string[]] = [[], []]
  const keep = readIn(options.folder, (name, isThere) => (isThere ? there : missing).push(name))
  const context: JobContext = { ...options, ...surroundings, parts: 'finished', keep }
  const whole = async (): Promise<Report> => {
    const made = await job.run(config, context)
    await renderReport(made) // a table may be uneven without some of its cells
    return made
  }
  const report = await whole().catch((error: unknown): Report => {
    if (missing.length === 0) throw error
    return { title: job.name, subtitle: job.summary, summary: [], sections: [finishedSection(there)] }
  })
  if (missing.length === 0) return { report, missing }
  return { report: { ...report, sections: [missingSection(missing, there.length), ...report.sections] }, missing }
}

function missingSection(missing: readonly string[], there: number): Section {
  return {
    title: 'What is missing',
    intro: `This page is of the ${counted(there, 'part')} that were finished when it was written. Not on it: what is named here, and what depends on that.`,
    figures: [{ kind: 'text', title: counted(missing.length, 'missing part'), paragraphs: [missing.join(', ')] }],
  }
}

function finishedSection(there: readonly string[]): Section {
  const names = there.length > 0 ? there.join(', ') : 'none'
  return {
    title: 'What is finished',
    intro: 'Too little is finished for the page of this job.',
    figures: [{ kind: 'text', title: counted(there.length, 'finished part'), paragraphs: [names] }],
  }
}
