/** What the end of a run's metrics says: for the list, which reads no more. */
import { type FileHandle, open } from 'node:fs/promises'
import { type MetricsLine, parseMetricsLine } from '../../train/store.ts'

/** Bytes read from the end of the metrics: at first, and at most, since an evaluation may be long ago. */
const [firstBytes, mostBytes] = [2 ** 12, 2 ** 22]

/** What the end of the metrics says. */
export interface MetricsEnd {
  readonly step: number
  readonly epoch: number
  readonly evaluation: MetricsLine | undefined
  /** Steps in an epoch, where two of them meet in what was read. */
  readonly stepsPerEpoch: number | undefined
}

/** The texts of whole lines before `end`, newest first, and where they begin. */
async function linesBefore(file: FileHandle, end: number, bytes: number) {
  const start = Math.max(0, end - bytes)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
  const found = buffer.subarray(0, bytesRead)
  const first = start === 0 ? 0 : found.indexOf(10) + 1
  return { texts: found.toString('utf8', first).split('\n').reverse(), start: first === 0 ? start : start + first }
}

const nothing: MetricsEnd = { step: 0, epoch: 0, evaluation: undefined, stepsPerEpoch: undefined }

/** Reads metrics from their end until an evaluation is found, or back to where they had been read before. */
async function readEnd(file: FileHandle, size: number, readTo: number, earlier: MetricsEnd): Promise<MetricsEnd> {
  let newest: MetricsLine | undefined
  let later: MetricsLine | undefined
  let { stepsPerEpoch } = earlier
  for (let end = size; end > readTo && size - end < mostBytes; ) {
    const { texts, start } = await linesBefore(file, end, Math.max(firstBytes, size - end))
    for (const text of texts) {
      const line = parseMetricsLine(text)
      if (line === undefined) continue
      newest ??= line
      const epochs = line.epoch + 1
      if (later?.epoch === epochs && line.step % epochs === 0) stepsPerEpoch = line.step / epochs
      if (line.type === 'evaluation') return { step: newest.step, epoch: newest.epoch, evaluation: line, stepsPerEpoch }
      later = line
    }
    // A line longer than a piece is none of ours.
    if (start >= end) break
    end = start
  }
  return newest ? { ...earlier, step: newest.step, epoch: newest.epoch, stepsPerEpoch } : earlier
}

/** The ends of the metrics of many runs: of a run that grows, only what is new is read. */
export class MetricsEnds {
  readonly #known = new Map<string, { readonly inode: number; readonly size: number; readonly end: MetricsEnd }>()

  async read(path: string): Promise<MetricsEnd> {
    const file = await open(path, 'r').catch(() => undefined)
    if (!file) return nothing
    try {
      const { size, ino } = await file.stat()
      const known = this.#known.get(path)
      const isSame = known?.inode === ino && known.size <= size
      const end = await readEnd(file, size, isSame ? known.size : 0, isSame ? known.end : nothing)
      this.#known.set(path, { inode: ino, size, end })
      return end
    } finally {
      await file.close()
    }
  }
}
