/** Run directories: what was trained, how, its numbers, checkpoints and report. */
import { appendFile, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { DataRecord } from '../data/record.ts'
import { dataRecord } from '../data/record-file.ts'
import { makeFolder, removeUnfinished, writeFileAtomic } from '../io/atomic.ts'
import { cannotRead, cannotWrite } from '../io/errors.ts'
import { UsageError } from '../util/errors.ts'
import { systemCode } from '../util/system-errors.ts'
import {
  type CheckpointChoice,
  type CheckpointSearch,
  chosenCheckpoint,
  markBest,
  newestCheckpoint,
  saveCheckpoint,
  setAside,
} from './checkpoint.ts'
import { checkNewRun } from './new-run.ts'
import { placesSchema } from './places.ts'
import { checkConfig } from './settings.ts'
import { dropSnapshots, readSnapshots, type Snapshot, saveSnapshots } from './snapshots.ts'
import {
  type Checkpoint,
  type DamageListener,
  type MetricsLine,
  parseMetricsLine,
  type Saved,
  type SaveOptions,
  type Snapshots,
  type TrainingState,
  type TrainingStore,
} from './store.ts'

const runFormat = 1

const description = z.strictObject({
  format: z.literal(runFormat),
  system: z.string(),
  recipe: z.string(),
  seed: z.number(),
  config: z.record(z.string(), z.unknown()),
  /** What follows from the training data and is needed later: class names, sizes. */
  facts: z.record(z.string(), z.unknown()),
  /** The locations of the files and folders named in the settings. */
  places: placesSchema.optional(),
  limits: z.strictObject({ steps: z.number().nullable() }),
  threads: z.number().nullable(),
  /** Whether every session of the run also writes a TensorBoard event file. */
  tensorboard: z.boolean().default(false),
  versions: z.record(z.string(), z.string()),
  started: z.string(),
  /** Each extension of the run: at which step, and its limits from then on. */
  extensions: z
    .array(z.strictObject({ step: z.number(), epochs: z.number().nullable(), steps: z.number().nullable() }))
    .default([]),
  /** Whether its first checkpoint was written: if there is none now, they are lost. Missing in older runs. */
  begun: z.boolean().optional(),
})

/** The content of `run.json`. */
export type RunDescription = z.infer<typeof description>

/** The description of a new run: fields with a default may be left out. */
export type NewRun = z.input<typeof description>

/** What a folder's `run.json` says it is, unchecked. */
export interface RunHead {
  readonly system?: unknown
  readonly recipe?: unknown
  readonly config?: unknown
}

/** The head of what may be a run directory; empty where there is no description that can be read. */
export async function readRunHead(path: string): Promise<RunHead> {
  try {
    const content: unknown = JSON.parse(await readFile(join(path, 'run.json'), 'utf8'))
    return typeof content === 'object' && content !== null ? content : {}
  } catch {
    return {}
  }
}

const mostNamed = 3

/** Which runs a folder has, in it or below `runs/`, as a sweep has its trainings; undefined if there are none. */
async function describeRunsBelow(path: string): Promise<string | undefined> {
  const found: string[] = []
  for (const folder of [path, join(path, 'runs')])
    for (const name of (await readdir(folder).catch(() => [])).sort())
      if (await stat(join(folder, name, 'run.json')).catch(() => undefined)) found.push(join(folder, name))
  if (found.length === 0) return undefined
  const more = found.length > mostNamed ? ` and ${found.length - mostNamed} more` : ''
  return `there are runs below it: ${found.slice(0, mostNamed).join('; ')}${more}`
}

/** Why there is no run at a path that cannot be opened as one. */
async function noRun(path: string, error: unknown): Promise<UsageError> {
  const hint = 'tenfold train writes run directories, below runs/'
  const code = systemCode(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return cannotRead(join(path, 'run.json'), error)
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory())
    return new UsageError(`${path} is not a run directory: it has no run.json`, {
      hint: (await describeRunsBelow(path)) ?? hint,
    })
  if (found) return new UsageError(`${path} is a file, not a run directory`, { hint })
  const link = await readlink(path).catch(() => undefined)
  const what = link === undefined ? 'no such directory' : `a link to ${link}, which is not there`
  return new UsageError(`${path}: ${what}`, { hint })
}

function parseDescription(file: string, text: string): RunDescription {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new UsageError(`${file} is not valid JSON`)
  }
  const parsed = z.looseObject({ format: z.unknown().optional() }).safeParse(content)
  if (!parsed.success) throw new UsageError(`${file} must hold a JSON object`)
  const { format } = parsed.data
  if (typeof format === 'number' && format !== runFormat) {
    throw new UsageError(`${file}: is of another version of tenfold (format ${format}, this one reads ${runFormat})`, {
      hint: 'use the version that the run was made with',
    })
  }
  return checkConfig(description, content, file)
}

/** A run on disk. */
export class RunDirectory implements TrainingStore {
  #isMarked: boolean
  readonly path: string
  readonly description: RunDescription

  private constructor(path: string, content: RunDescription) {
    this.path = path
    this.description = content
    this.#isMarked = content.begun === true
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints')
  }
  get report(): string {
    return join(this.path, 'report.html')
  }
  get tensorboard(): string {
    return join(this.path, 'tensorboard')
  }
  get snapshots(): string {
    return join(this.path, 'snapshots')
  }
  get metrics(): string {
    return join(this.path, 'metrics.jsonl')
  }

  /** The record of what is trained on and tested with. Throws a UsageError if there is none. */
  async readData(): Promise<DataRecord> {
    const path = join(this.path, 'data.json')
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw new UsageError(`${path} is not there, so nothing tells what the run was trained on and tested with`, {
        hint: 'every run writes it when it starts; put it back, or start a new run',
        cause: error,
      })
    })
    return parseRecord(text, path)
  }

  /** Makes a new run; the directory must not hold one already. `data`: what later use compares its data with. */
  static async create(path: string, content: NewRun, data?: DataRecord): Promise<RunDirectory> {
    await checkNewRun(path)
    await makeFolder(path)
    if (data) await writeFileAtomic(join(path, 'data.json'), Buffer.from(`${JSON.stringify(data, null, 1)}\n`))
    const run = new RunDirectory(path, description.parse({ begun: false, ...content }))
    await run.save()
    return run
  }

  static async open(path: string): Promise<RunDirectory> {
    const file = join(path, 'run.json')
    const text = await readFile(file, 'utf8').catch(async (error: unknown) => {
      throw await noRun(path, error)
    })
    return new RunDirectory(path, parseDescription(file, text))
  }

  /** The same run with another description, which is written when `save` is called. */
  changed(content: Partial<RunDescription>): RunDirectory {
    return new RunDirectory(this.path, { ...this.description, ...content })
  }

  /** Writes `run.json`. */
  async save(): Promise<void> {
    await writeFileAtomic(join(this.path, 'run.json'), Buffer.from(`${JSON.stringify(this.description, null, 2)}\n`))
  }

  async recover(onDamage: DamageListener): Promise<Checkpoint | undefined> {
    await removeUnfinished(this.checkpoints)
    const damaged: string[] = []
    const checkpoint = await this.newestCheckpoint((path, reason) => {
      damaged.push(path)
      onDamage(path, reason)
    })
    await setAside(damaged)
    // Killed before it could be noted, or written by a version that did not note it.
    if (checkpoint) await this.#markBegun()
    return checkpoint
  }

  async saveCheckpoint(
    variables: ReadonlyMap<string, Saved>,
    state: TrainingState,
    options: SaveOptions,
  ): Promise<string> {
    const path = await saveCheckpoint(this.checkpoints, variables, state, options)
    await this.#markBegun()
    return path
  }

  markBest(checkpoint: Checkpoint): Promise<void> {
    return markBest(this.checkpoints, checkpoint)
  }

  isExtendedAt(step: number): boolean {
    return this.description.extensions.some((extension) => extension.step === step)
  }

  /** The newest checkpoint that can be read; undefined if there is none yet. Throws a FormatError if they are damaged or gone. */
  async newestCheckpoint(onDamage?: DamageListener): Promise<Checkpoint | undefined> {
    return newestCheckpoint(this.checkpoints, await this.#search(onDamage))
  }

  /** The chosen checkpoint. Throws a UsageError if there is none, a FormatError if it is damaged or lost. */
  async chosenCheckpoint(choice: CheckpointChoice, onDamage?: DamageListener): Promise<Checkpoint> {
    return chosenCheckpoint(this.path, this.checkpoints, choice, await this.#search(onDamage))
  }

  /** Whether it ever had a checkpoint. */
  async hasBegun(): Promise<boolean> {
    // Older runs don't say. Metrics are written just before a checkpoint.
    return this.description.begun ?? (await this.readMetrics()).length > 0
  }

  async #search(onDamage: DamageListener | undefined): Promise<CheckpointSearch> {
    return { ...(onDamage && { onDamage }), hasBegun: await this.hasBegun() }
  }

  /** Notes in `run.json` that there is a checkpoint, once. */
  async #markBegun(): Promise<void> {
    if (this.#isMarked) return
    await this.changed({ begun: true }).save()
    this.#isMarked = true
  }

  async append(lines: readonly MetricsLine[]): Promise<void> {
    if (lines.length === 0) return
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    await appendFile(this.metrics, text).catch((error: unknown) => {
      throw cannotWrite(this.metrics, error)
    })
  }

  /** All lines logged so far; what is none, such as an incomplete last one (a killed process), is left out. */
  async readMetrics(): Promise<MetricsLine[]> {
    const text = await readFile(this.metrics, 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return ''
      throw error
    })
    return text.split('\n').flatMap((line) => parseMetricsLine(line) ?? [])
  }

  saveSnapshots(step: number, snapshots: Snapshots): Promise<void> {
    return saveSnapshots(this.snapshots, step, snapshots)
  }

  /** All pictures kept so far, by name and in the order of their steps. */
  readSnapshots(): Promise<Snapshot[]> {
    return readSnapshots(this.snapshots)
  }

  /** Drops what was logged, and pictures that were kept, after `step`: a resumed run makes them again. */
  async truncateLog(step: number): Promise<void> {
    const kept = (await this.readMetrics()).filter((line) => line.step <= step)
    await writeFileAtomic(this.metrics, Buffer.from(kept.map((line) => `${JSON.stringify(line)}\n`).join('')))
    await dropSnapshots(this.snapshots, step)
  }
}

function parseRecord(text: string, path: string): DataRecord {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${path}: must be JSON`, { cause: error })
  }
  return checkConfig(dataRecord, content, path)
}
