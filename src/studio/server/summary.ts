/** What the list shows of a folder: read from its files, with as little reading as possible. */
import { lstat, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Job, Recipe, System } from '../../systems/define.ts'
import { type FolderHolder, folderHolder } from '../../train/lock.ts'
import { type RunDescription, RunDirectory } from '../../train/run.ts'
import { changedSettings, type Settings } from '../../train/settings.ts'
import type { MetricsLine } from '../../train/store.ts'
import { errorLine, TenfoldError } from '../../util/errors.ts'
import type { RunSummary } from '../protocol.ts'
import type { MetricsEnds } from './metrics-end.ts'
import { problemOf, type Records } from './records.ts'

/** What a folder is, by the names in it; undefined: neither run nor job. `pending`: one that has just been started, or has no result yet. */
export function kindOf(names: readonly string[]): 'run' | 'job' | 'pending' | undefined {
  if (names.includes('run.json')) return 'run'
  if (names.includes('report.json')) return 'job'
  return names.some(isLock) ? 'pending' : undefined
}

const isLock = (name: string): boolean => /^lock-.*\.json$/.test(name)

/** Time and size of a file that is no link; zeros if there is none. */
async function stampOf(
  path: string,
): Promise<{ readonly time: number; readonly size: number; readonly inode: number }> {
  const found = await lstat(path).catch(() => undefined)
  return found?.isFile() ? { time: found.mtimeMs, size: found.size, inode: found.ino } : { time: 0, size: 0, inode: 0 }
}

/** What a summary was made from. */
export interface Traces {
  readonly names: readonly string[]
  readonly holder: FolderHolder | undefined
  /** The same text: nothing has changed. */
  readonly stamp: string
  /** Times of the newest metrics and of the report; 0: none. */
  readonly written: number
  readonly reported: number
}

/** Looks at a folder without reading its files. */
export async function tracesOf(path: string, id: string, records: Records): Promise<Traces> {
  const names = await readdir(path)
  const files = ['run.json', 'metrics.jsonl', 'report.html', 'report.json']
  const stamps = await Promise.all(files.map((name) => (names.includes(name) ? stampOf(join(path, name)) : undefined)))
  const holder = names.some(isLock) ? folderHolder(path) : undefined
  const stamp = JSON.stringify([stamps, holder, await records.logTime(id)])
  const [, metrics, page, data] = stamps.map((each) => each?.time ?? 0)
  const isJob = !names.includes('run.json')
  return { names, holder, stamp, written: metrics ?? 0, reported: (isJob ? data : page) ?? 0 }
}

function metricsOf(line: MetricsLine | undefined): Record<string, number> {
  const entries = Object.entries(line ?? {}).filter(([name]) => !['type', 'step', 'epoch', 'seconds'].includes(name))
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

/** The recipe or job of a name; undefined if it is not known here. */
function entryOf(systems: readonly System[], recipe: string): Recipe | Job | undefined {
  const [system, name] = recipe.split('/')
  const found = systems.find((each) => each.name === system)
  return [...(found?.recipes ?? []), ...(found?.jobs ?? [])].find((each) => each.name === name)
}

/** The settings of a recipe or job that are not its defaults; none if it is not known here. */
function changedOf(entry: Recipe | Job | undefined, config: Settings): string[] {
  try {
    return entry ? changedSettings(entry.config, config) : []
  } catch {
    // Of another version.
    return []
  }
}

/** The head of `report.json` of a job: all but the report itself, which may be large. */
export interface JobHead {
  readonly job: string
  readonly seed: number | null
  readonly config: Settings
}

const headBytes = 2 ** 18

export async function readJobHead(path: string): Promise<JobHead | undefined> {
  const file = await open(join(path, 'report.json'), 'r').catch(() => undefined)
  if (!file) return undefined
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const text = buffer.toString('utf8', 0, bytesRead)
    const cut = text.indexOf(',\n "report": ')
    const head = JSON.parse(cut < 0 ? text : `${text.slice(0, cut)}}`) as Partial<JobHead>
    if (typeof head.job !== 'string' || typeof head.config !== 'object') return undefined
    return { job: head.job, seed: typeof head.seed === 'number' ? head.seed : null, config: head.config }
  } catch {
    return undefined
  } finally {
    await file.close()
  }
}

/** What summaries need besides the folder. */
export interface SummaryContext {
  readonly systems: readonly System[]
  readonly records: Records
  readonly ends: MetricsEnds
}

/** Of what has left nothing yet. */
export const nothingKnown = {
  problem: '',
  started: '',
  seed: null,
  changed: [],
  step: 0,
  epoch: 0,
  steps: null,
  epochs: null,
  metrics: {},
  seconds: null,
} as const

/** Why its process failed, if that is newer than all it has written. */
async function failureOf(id: string, { holder, written, reported }: Traces, records: Records): Promise<string> {
  if (holder) return ''
  const log = await records.readLog(id)
  return log.time + 1000 >= Math.max(written, reported) ? problemOf(log) : ''
}

async function summarizeRun(path: string, id: string, traces: Traces, context: SummaryContext): Promise<RunSummary> {
  let description: RunDescription
  try {
    description = (await RunDirectory.open(path)).description
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error
    return {
      ...nothingKnown,
      id,
      kind: 'run',
      recipe: '',
      isStartable: false,
      state: 'damaged',
      problem: errorLine(error),
    }
  }
  const { system, recipe, config, seed, started, limits } = description
  const end = await context.ends.read(join(path, 'metrics.jsonl'))
  const problem = await failureOf(id, traces, context.records)
  const isFinished = traces.reported > 0 && traces.reported >= traces.written
  const epochs = Number((config.train as { readonly epochs?: unknown } | undefined)?.epochs)
  const planned = end.stepsPerEpoch === undefined ? null : end.stepsPerEpoch * epochs
  const { evaluation } = end
  const name = `${system}/${recipe}`
  const entry = entryOf(context.systems, name)
  return {
    id,
    kind: 'run',
    recipe: name,
    isStartable: entry !== undefined,
    state: traces.holder ? 'running' : isFinished ? 'finished' : problem ? 'failed' : 'stopped',
    problem,
    started,
    seed,
    changed: changedOf(entry, config),
    step: end.step,
    epoch: end.epoch,
    steps: isFinished && !traces.holder ? end.step : (limits.steps ?? planned),
    epochs: Number.isFinite(epochs) ? epochs : null,
    metrics: metricsOf(evaluation),
    seconds: typeof evaluation?.seconds === 'number' ? evaluation.seconds : null,
  }
}

async function summarizeOther(path: string, id: string, traces: Traces, context: SummaryContext): Promise<RunSummary> {
  const head = await readJobHead(path)
  const record = await context.records.read(id)
  const problem = await failureOf(id, traces, context.records)
  const recipe = head?.job ?? record?.name ?? ''
  const entry = entryOf(context.systems, recipe)
  const [system, name] = recipe.split('/')
  const isRun = context.systems.some((each) => each.name === system && each.recipes?.some((of) => of.name === name))
  const time = traces.reported > 0 ? new Date(traces.reported) : (await stat(path)).mtime
  return {
    ...nothingKnown,
    id,
    kind: isRun ? 'run' : 'job',
    recipe,
    isStartable: entry !== undefined,
    state: traces.holder ? 'running' : problem ? 'failed' : head ? 'finished' : 'stopped',
    problem,
    started: traces.holder?.since ?? time.toISOString(),
    seed: head?.seed ?? record?.seed ?? null,
    changed: head ? changedOf(entry, head.config) : (record?.settings ?? []),
  }
}

/** The line of a folder in the list. */
export function summarize(path: string, id: string, traces: Traces, context: SummaryContext): Promise<RunSummary> {
  return traces.names.includes('run.json')
    ? summarizeRun(path, id, traces, context)
    : summarizeOther(path, id, traces, context)
}
