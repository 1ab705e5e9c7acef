/** The metrics of a run, read as they are written: only what is new, a piece at a time, kept as columns of numbers. */
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { parseMetricsLine } from '../../train/store.ts'
import { systemCode } from '../../util/system-errors.ts'
import { type Curve, type CurveSeries, emptySeries, mostBuckets } from '../curves.ts'
import type { LineKind } from '../protocol.ts'

/** Bytes read and parsed at once: other requests are answered in between. */
const pieceBytes = 2 ** 18

/** Keys of a line that are no metrics. */
const notMetrics = new Set(['type', 'step', 'epoch', 'seconds'])

/** Numbers that grow at their end. */
class Column {
  #values = new Float64Array(64)
  length = 0

  get bytes(): number {
    return this.#values.byteLength
  }

  at(row: number): number {
    return this.#values[row] ?? Number.NaN
  }

  /** Sets the value of a row at or behind the end; rows between have none. */
  set(row: number, value: number): void {
    if (row >= this.#values.length) {
      const larger = new Float64Array(Math.max(row + 1, 2 * this.#values.length))
      larger.set(this.#values)
      this.#values = larger
    }
    if (row > this.length) this.#values.fill(Number.NaN, this.length, row)
    this.#values[row] = value
    this.length = row + 1
  }

  /** Mean, least and greatest of every so many rows from `start` to `end`; of values that are not finite nothing is known. */
  buckets(start: number, end: number, every: number): CurveSeries {
    const length = Math.ceil((end - start) / every)
    const series = emptySeries(length)
    for (let i = 0; i < length; i++) {
      let [sum, least, greatest, count] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
      const last = Math.min(start + (i + 1) * every, end, this.length)
      for (let row = start + i * every; row < last; row++) {
        const value = this.#values[row] ?? Number.NaN
        if (!Number.isFinite(value)) continue
        sum += value
        if (value < least) least = value
        if (value > greatest) greatest = value
        count++
      }
      if (count === 0) continue
      series.mean[i] = sum / count
      series.min[i] = least
      series.max[i] = greatest
      series.count[i] = count
    }
    return series
  }

  truncate(length: number): void {
    this.length = Math.min(this.length, length)
  }
}

/** The lines of one kind. */
class Lines {
  readonly steps = new Column()
  readonly columns = new Map<string, Column>()

  get rows(): number {
    return this.steps.length
  }

  get bytes(): number {
    return [this.steps, ...this.columns.values()].reduce((sum, column) => sum + column.bytes, 0)
  }

  /** Adds a line; earlier ones of this step or a later one were of a training that was taken back. */
  add(step: number, line: Readonly<Record<string, unknown>>): void {
    let row = this.rows
    while (row > 0 && this.steps.at(row - 1) >= step) row--
    if (row < this.rows) for (const column of [this.steps, ...this.columns.values()]) column.truncate(row)
    this.steps.set(row, step)
    for (const name in line) {
      const value = line[name]
      if (typeof value !== 'number' || notMetrics.has(name)) continue
      let column = this.columns.get(name)
      if (!column) {
        column = new Column()
        this.columns.set(name, column)
      }
      column.set(row, value)
    }
  }

  /** The first row whose step is at least this. */
  #rowOf(step: number): number {
    let [low, high] = [0, this.rows]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.steps.at(middle) < step) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The curve from one step to another one, of at most so many buckets: what `addRow` would make of these rows. */
  curve(from = 0, to = Number.POSITIVE_INFINITY, buckets = mostBuckets): Curve {
    const start = this.#rowOf(from)
    const rows = Math.max(0, this.#rowOf(to + 1e-9) - start)
    let every = 1
    while (rows > every * buckets) every *= 2
    const length = Math.ceil(rows / every)
    const x = Array.from({ length }, (_, i) => this.steps.at(start + Math.min((i + 1) * every, rows) - 1))
    const series = [...this.columns].map(
      ([name, column]) => [name, column.buckets(start, start + rows, every)] as const,
    )
    return { every, rows, x, series: Object.fromEntries(series) }
  }

  /** The rows from `start` on, as they are sent. */
  since(start: number): { steps: number[]; values: Record<string, (number | null)[]> } {
    const rows = Array.from({ length: this.rows - start }, (_, i) => start + i)
    const values = [...this.columns].map(([name, column]) => {
      const found = rows.map((row) => (row < column.length ? column.at(row) : Number.NaN))
      return [name, found.map((value) => (Number.isFinite(value) ? value : null))] as const
    })
    return { steps: rows.map((row) => this.steps.at(row)), values: Object.fromEntries(values) }
  }
}

/** The metrics of one run. */
export class MetricsLog {
  readonly #path: string
  #inode = 0n
  #offset = 0
  #rest = Buffer.alloc(0)
  #reading: Promise<void> = Promise.resolve()
  /** Counts how often the file was another one than before. */
  generation = 0
  lines: Readonly<Record<LineKind, Lines>> = { step: new Lines(), evaluation: new Lines() }

  constructor(path: string) {
    this.#path = path
  }

  get bytes(): number {
    return this.lines.step.bytes + this.lines.evaluation.bytes
  }

  /** Reads what was written since the last time. A run without metrics has no lines. */
  update(): Promise<void> {
    const next = this.#reading.then(() => this.#read())
    this.#reading = next.catch(() => {})
    return next
  }

  async #read(): Promise<void> {
    let file: FileHandle
    try {
      file = await open(this.#path, 'r')
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      return this.#restart(0n)
    }
    try {
      const { ino, size } = await file.stat({ bigint: true })
      // A resumed training replaces the file by one without the steps that are taken back.
      if (ino !== this.#inode || size < BigInt(this.#offset)) this.#restart(ino)
      await this.#readFrom(file)
    } finally {
      await file.close()
    }
  }

  #restart(inode: bigint): void {
    if (this.#offset > 0) this.generation++
    this.#inode = inode
    this.#offset = 0
    this.#rest = Buffer.alloc(0)
    this.lines = { step: new Lines(), evaluation: new Lines() }
  }

  async #readFrom(file: FileHandle): Promise<void> {
    const buffer = Buffer.allocUnsafe(pieceBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, pieceBytes, this.#offset)
      if (bytesRead === 0) return
      this.#offset += bytesRead
      this.#take(buffer.subarray(0, bytesRead))
      await setImmediate()
    }
  }

  /** Adds the whole lines; the last one may still be written. */
  #take(bytes: Buffer): void {
    const end = bytes.lastIndexOf(10)
    if (end < 0) {
      this.#rest = Buffer.concat([this.#rest, bytes])
      return
    }
    const text = Buffer.concat([this.#rest, bytes.subarray(0, end)]).toString('utf8')
    this.#rest = Buffer.from(bytes.subarray(end + 1))
    for (const line of text.split('\n')) this.#addLine(line)
  }

  #addLine(text: string): void {
    const line = parseMetricsLine(text)
    if (line) this.lines[line.type].add(line.step, line)
  }
}

/** Memory for the metrics of runs that are not looked at. */
const mostBytes = 2 ** 28

/** The metrics of the runs that were asked for last. */
export class MetricsLogs {
  readonly #logs = new Map<string, MetricsLog>()

  /** The metrics in a file, up to date; those not used for longest are forgotten when there are many. */
  async get(path: string): Promise<MetricsLog> {
    const log = this.#logs.get(path) ?? new MetricsLog(path)
    this.#logs.delete(path)
    this.#logs.set(path, log)
    await log.update()
    let bytes = [...this.#logs.values()].reduce((sum, each) => sum + each.bytes, 0)
    for (const [other, { bytes: freed }] of this.#logs) {
      if (bytes <= mostBytes || other === path) break
      this.#logs.delete(other)
      bytes -= freed
    }
    return log
  }
}
