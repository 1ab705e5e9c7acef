/** What the studio's server and page say to each other, as JSON. */
import type { Curve } from './curves.ts'

/** How a run or a job stands. */
export type RunState = 'running' | 'finished' | 'stopped' | 'failed' | 'damaged'

/** A line of the list of runs. */
export interface RunSummary {
  /** The folder, seen from the runs folder, with `/` between its parts. */
  readonly id: string
  readonly kind: 'run' | 'job'
  /** `mixer/mnist`; empty where nothing tells. */
  readonly recipe: string
  /** Whether that recipe or job can be started from here: not a sweep, nor a program of one's own. */
  readonly isStartable: boolean
  readonly state: RunState
  /** Why it failed or cannot be read, in one line; empty otherwise. */
  readonly problem: string
  /** When it began, ISO 8601; empty where nothing tells. */
  readonly started: string
  readonly seed: number | null
  /** The settings that are not the recipe's defaults, as `path=value`. */
  readonly changed: readonly string[]
  readonly step: number
  readonly epoch: number
  /** The planned steps, as far as they are known; else null. */
  readonly steps: number | null
  readonly epochs: number | null
  /** Of the newest evaluation. */
  readonly metrics: Readonly<Record<string, number>>
  /** Seconds spent training, at the newest evaluation. */
  readonly seconds: number | null
}

/** How a metric is read: as in the recipe's description. */
export interface MetricForm {
  readonly goal: 'min' | 'max'
  readonly unit?: 'percent' | 'bits' | 'nats' | 'seconds'
}

/** A picture that a run has kept of an evaluation. */
export interface SnapshotFile {
  readonly name: string
  readonly step: number
  /** Below the run. */
  readonly file: string
}

/** A use of a trained run. */
export interface UseForm {
  readonly name: string
  readonly summary: string
  /** As one writes them in a shell: `FILE...`, `"Call me [MASK]."`; empty: it takes none. */
  readonly inputs: string
  readonly fields: readonly Field[]
}

/** All that is shown of one run. */
export interface RunDetail {
  readonly summary: RunSummary
  /** Every setting by its dotted path. */
  readonly settings: Readonly<Record<string, unknown>>
  /** What else tells runs apart: seed, limits, versions ... */
  readonly facts: Readonly<Record<string, string>>
  readonly metrics: Readonly<Record<string, MetricForm>>
  readonly snapshots: readonly SnapshotFile[]
  /** Pages and pictures of the run that can be shown, besides the snapshots; the report first. */
  readonly files: readonly string[]
  readonly uses: readonly UseForm[]
  /** The end of what its process has printed, where the studio started it. */
  readonly log: string
}

/** The curves of a run: of its steps and of its evaluations. */
export interface Curves {
  readonly step: Curve
  readonly evaluation: Curve
}

export type LineKind = keyof Curves

/** A setting or option, as a form shows it. */
export interface Field {
  readonly path: string
  readonly description: string
  readonly default: unknown
  readonly kind: 'number' | 'whole' | 'switch' | 'choice' | 'text' | 'path' | 'json'
  /** Of `choice`. */
  readonly choices: readonly string[]
}

/** A recipe or job that can be started. */
export interface Entry {
  readonly name: string
  readonly kind: 'run' | 'job'
  readonly system: string
  readonly summary: string
  /** Of a recipe; of a job none. */
  readonly metrics: Readonly<Record<string, MetricForm>>
}

/** The form of a recipe or job. */
export interface EntryForm extends Entry {
  readonly paper: string
  readonly fields: readonly Field[]
}

/** A training or job to start. */
export interface StartRequest {
  readonly name: string
  /** `path=value`, as `--set` takes them. */
  readonly settings: readonly string[]
  readonly seed?: number
  readonly steps?: number
  readonly epochs?: number
  readonly threads?: number
  /** The folder of the run, below the runs folder; missing or empty: SYSTEM-RECIPE-TIME. */
  readonly folder?: string
}

/** A use to run. */
export interface UseRequest {
  readonly use: string
  /** Texts, or names that uploads were given. */
  readonly inputs: readonly string[]
  /** By their paths, as text. */
  readonly options: Readonly<Record<string, string>>
  readonly checkpoint?: string
  readonly seed?: number
}

/** A mistake, in one line; empty: none. */
export interface Refusal {
  readonly error: string
}

/** What the command line would say to a start. */
export interface StartCheck extends Refusal {
  /** The command that does the same; empty if it is refused. */
  readonly command: string
}

/** New lines of a run's metrics. */
export interface NewLines {
  readonly id: string
  readonly kind: LineKind
  /** Lines before these: a page that has another number asks for the whole curve again. */
  readonly from: number
  readonly steps: readonly number[]
  readonly values: Readonly<Record<string, readonly (number | null)[]>>
}

/** What the server sends by itself. */
export interface Events {
  /** Runs that are new or have changed. */
  readonly runs: { readonly changed: readonly RunSummary[]; readonly removed: readonly string[] }
  readonly lines: NewLines
  /** The metrics of a run were rewritten, or too many came at once: ask for them again. */
  readonly reset: { readonly id: string }
}
