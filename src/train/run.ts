/** Run directories: what was trained, how, its numbers, checkpoints and report. */
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type DataRecord, dataRecord } from '../data/record.ts'
import { writeFileAtomic } from '../io/atomic.ts'
import { UsageError } from '../util/errors.ts'
import { placesSchema } from './places.ts'
import { checkConfig } from './settings.ts'

const description = z.strictObject({
  format: z.literal(1),
  system: z.string(),
  recipe: z.string(),
  seed: z.number(),
  config: z.record(z.string(), z.unknown()),
  /** What training found in its data and later use needs: class names, sizes. */
  facts: z.record(z.string(), z.unknown()),
  /** Where the files and folders were that settings name. */
  places: placesSchema.optional(),
  limits: z.strictObject({ steps: z.number().nullable() }),
  threads: z.number().nullable(),
  /** Whether every session of the run also writes a TensorBoard event file. */
  tensorboard: z.boolean().default(false),
  versions: z.record(z.string(), z.string()),
  started: z.string(),
})

/** What `run.json` says. */
export type RunDescription = z.infer<typeof description>

/** One line of `metrics.jsonl`. */
export interface MetricsLine {
  readonly type: 'step' | 'evaluation'
  readonly step: number
  readonly epoch: number
  readonly [metric: string]: number | string
}

/** A run on disk. */
export class RunDirectory {
  readonly path: string
  readonly description: RunDescription

  private constructor(path: string, content: RunDescription) {
    this.path = path
    this.description = content
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
  static async create(path: string, content: RunDescription, data?: DataRecord): Promise<RunDirectory> {
    const exists = await stat(join(path, 'run.json')).then(
      () => true,
      () => false,
    )
    if (exists) {
      throw new UsageError(`${path} already holds a run`, {
        hint: `continue it with: tenfold resume ${path}, or choose another --out`,
      })
    }
    await mkdir(path, { recursive: true })
    if (data) await writeFileAtomic(join(path, 'data.json'), Buffer.from(`${JSON.stringify(data, null, 1)}\n`))
    await writeFileAtomic(join(path, 'run.json'), Buffer.from(`${JSON.stringify(content, null, 2)}\n`))
    return new RunDirectory(path, content)
  }

  static async open(path: string): Promise<RunDirectory> {
    const file = join(path, 'run.json')
    const text = await readFile(file, 'utf8').catch(() => {
      throw new UsageError(`${path} is no run directory: it has no run.json`, {
        hint: 'tenfold train writes one below runs/',
      })
    })
    let content: unknown
    try {
      content = JSON.parse(text)
    } catch {
      throw new UsageError(`${file} is not valid JSON`)
    }
    return new RunDirectory(path, checkConfig(description, content, file))
  }

  async append(lines: readonly MetricsLine[]): Promise<void> {
    if (lines.length > 0) await appendFile(this.metrics, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }

  /** All lines logged so far; an incomplete last one (a killed process) is left out. */
  async readMetrics(): Promise<MetricsLine[]> {
    const text = await readFile(this.metrics, 'utf8').catch(() => '')
    return text.split('\n').flatMap((line) => {
      try {
        return line ? [JSON.parse(line) as MetricsLine] : []
      } catch {
        return []
      }
    })
  }

  /** Drops what was logged after `step`: a resumed run logs it again. */
  async truncateMetrics(step: number): Promise<void> {
    const kept = (await this.readMetrics()).filter((line) => line.step <= step)
    await writeFileAtomic(this.metrics, Buffer.from(kept.map((line) => `${JSON.stringify(line)}\n`).join('')))
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
