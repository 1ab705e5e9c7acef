/** Where a training keeps its checkpoints and metrics: what the loop needs from it. In Node it is a run directory. */
import type { SourceState } from '../data/loader.ts'
import type { Picture } from '../report/figures.ts'
import type { NDArray } from '../tensor/dtype.ts'
import { formatShape, sameShape } from '../tensor/shape.ts'
import type { Variable } from '../tensor/variable.ts'
import { UsageError } from '../util/errors.ts'

/** The state of training, besides the variables. */
export interface TrainingState {
  readonly step: number
  readonly loader: SourceState
  /** Best value of the monitored metric so far. */
  readonly best: number | null
  /** The step at which it was reached. */
  readonly bestStep: number | null
  /** The loss of that evaluation, which decides between equals; null if there was none. */
  readonly bestLoss: number | null
  /** Evaluations since the best one. */
  readonly evaluationsSinceBest: number
  /** Seconds spent training, over all sessions. */
  readonly seconds: number
}

/** A checkpoint that was read. */
export interface Checkpoint {
  /** Names it in messages; of a run directory, its file. */
  readonly path: string
  readonly tensors: ReadonlyMap<string, NDArray>
  readonly state: TrainingState
}

/** Called for every checkpoint that is damaged and skipped. */
export type DamageListener = (path: string, reason: string) => void

/** One line of the metrics that a training logs. */
export interface MetricsLine {
  readonly type: 'step' | 'evaluation'
  readonly step: number
  readonly epoch: number
  readonly [metric: string]: number | string
}

/** The line of metrics in a text; undefined if it is none: cut off, damaged, or written by something else. */
export function parseMetricsLine(text: string): MetricsLine | undefined {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof line !== 'object' || line === null) return undefined
  const { type, step, epoch } = line as Readonly<Record<string, unknown>>
  if ((type !== 'step' && type !== 'evaluation') || !Number.isInteger(step) || !Number.isInteger(epoch))
    return undefined
  return line as MetricsLine // as just checked
}

/** What happens to other checkpoints when one is saved. */
export interface SaveOptions {
  /** How many of the newest are kept, this one included. */
  readonly keep: number
  /** Whether this is the best one, which is kept however old it is. Default: false. */
  readonly best?: boolean
}

/** Pictures of one evaluation by what they show, in words that a file name may have: `samples`, `reconstructions`. */
export type Snapshots = Readonly<Record<string, Picture>>

/** What a checkpoint holds by one name: a variable, or an array alone. */
export interface Saved {
  readonly array: NDArray
}

/** Keeps the checkpoints, metrics and pictures of one training. */
export interface TrainingStore {
  /** Names the log of metrics in messages. */
  readonly metrics: string
  /**
   * The newest intact checkpoint; undefined if there was none yet. Leftovers of interrupted or damaged writes are moved out
   * of the way. Throws a FormatError if there were checkpoints and all are damaged or gone.
   */
  recover(onDamage: DamageListener): Promise<Checkpoint | undefined>
  /** Saves a checkpoint, whole or not at all. Returns its path. */
  saveCheckpoint(variables: ReadonlyMap<string, Saved>, state: TrainingState, options: SaveOptions): Promise<string>
  /** Makes a checkpoint that was saved the best one, unless it is. */
  markBest(checkpoint: Checkpoint): Promise<void>
  append(lines: readonly MetricsLine[]): Promise<void>
  /** All lines logged so far. */
  readMetrics(): Promise<MetricsLine[]>
  /** Keeps the pictures of the evaluation at a step. */
  saveSnapshots(step: number, snapshots: Snapshots): Promise<void>
  /** Drops what was logged, and pictures that were kept, after `step`: a resumed training makes them again. */
  truncateLog(step: number): Promise<void>
  /** Whether the training was extended at this step. */
  isExtendedAt(step: number): boolean
}

/** Arrays that are kept with the variables and whose shapes may change from step to step: memories that grow and are forgotten. */
export interface ChangingState {
  /** By name; the present ones. */
  arrays(): ReadonlyMap<string, NDArray>
  /** Takes them from a checkpoint; `path` names it in errors. */
  restore(arrays: ReadonlyMap<string, NDArray>, path: string): void
}

/** Whether all its numbers are finite. */
export function hasOnlyFinite({ dtype, data }: Variable): boolean {
  return dtype !== 'float32' || (data as Float32Array).every(Number.isFinite)
}

/** Copies a checkpoint into the variables, whose names and shapes must agree, and into the state. */
export function restoreVariables(
  checkpoint: Checkpoint,
  variables: ReadonlyMap<string, Variable>,
  state?: ChangingState,
): void {
  for (const [name, variable] of variables) {
    const saved = checkpoint.tensors.get(name)
    if (!saved || saved.dtype !== variable.dtype || !sameShape(saved.shape, variable.shape)) {
      const found = saved ? `${saved.dtype}${formatShape(saved.shape)}` : 'nothing'
      throw new UsageError(`${checkpoint.path}: "${name}" must be ${variable.leaf}, found ${found}`, {
        hint: 'the configuration was changed after the checkpoint was written',
      })
    }
    variable.set(saved.data)
  }
  state?.restore(checkpoint.tensors, checkpoint.path)
}

/** The variables of a checkpoint under their prefixes. */
export function checkpointVariables(
  parts: Readonly<Record<string, Iterable<readonly [string, Variable]>>>,
): Map<string, Variable> {
  return new Map(
    Object.entries(parts).flatMap(([prefix, variables]) =>
      [...variables].map(([name, variable]) => [`${prefix}.${name}`, variable] as const),
    ),
  )
}
