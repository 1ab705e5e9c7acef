import type { NDArray } from '../tensor/dtype.ts'
import type { Checkpoint, MetricsLine, Snapshots, TrainingStore } from './store.ts'

/** A store without files, as a page may have one. */
export class MemoryStore implements TrainingStore {
  readonly metrics = 'the log'
  readonly lines: MetricsLine[] = []
  readonly snapshots = new Map<number, Snapshots>()
  newest: Checkpoint | undefined
  best: Checkpoint | undefined

  async recover(): Promise<Checkpoint | undefined> {
    return this.newest
  }

  async saveCheckpoint(...[variables, state, { best = false }]: Parameters<TrainingStore['saveCheckpoint']>) {
    const copies = [...variables].map(([name, { array }]): [string, NDArray] => [
      name,
      { ...array, data: array.data.slice() },
    ])
    this.newest = { path: `step ${state.step}`, tensors: new Map(copies), state }
    if (best) this.best = this.newest
    return this.newest.path
  }

  async markBest(checkpoint: Checkpoint): Promise<void> {
    this.best = checkpoint
  }

  async append(lines: readonly MetricsLine[]): Promise<void> {
    this.lines.push(...lines)
  }

  async readMetrics(): Promise<MetricsLine[]> {
    return [...this.lines]
  }

  async truncateLog(step: number): Promise<void> {
    this.lines.splice(0, this.lines.length, ...this.lines.filter((line) => line.step <= step))
  }

  async saveSnapshots(step: number, snapshots: Snapshots): Promise<void> {
    this.snapshots.set(step, snapshots)
  }

  isExtendedAt(): boolean {
    return false
  }
}
