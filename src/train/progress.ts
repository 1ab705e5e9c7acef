/** The progress of a training, as lines for people. */
import { formatDuration, formatMetrics, type MetricDescriptions } from './describe-metrics.ts'
import type { LoopObserver, StepReport } from './loop.ts'

/** Where lines go: a terminal, on which a line may be drawn over, or a file. */
export interface LineOutput {
  write(text: string): unknown
  /** Whether it is a terminal. Default: false. */
  readonly isTTY?: boolean | undefined
  /** Characters in a line of the terminal. Default: 80. */
  readonly columns?: number | undefined
}

/** Lines on an output, the last of which may be one that is drawn over. */
export class StatusLine {
  readonly #out: LineOutput
  #drawn = false

  constructor(out: LineOutput) {
    this.#out = out
  }

  /** Whether lines can be drawn over. */
  get isLive(): boolean {
    return this.#out.isTTY === true
  }

  /** A whole line, below what was drawn. */
  say(line: string): void {
    this.end()
    this.#out.write(`${line}\n`)
  }

  /** A piece of a line, which `end` ends. */
  write(piece: string): void {
    this.#out.write(piece)
    this.#drawn = true
  }

  /** Draws over what was drawn before; only on a terminal. */
  draw(line: string): void {
    this.write(`\r\x1b[2K${line.slice(0, Math.max(20, (this.#out.columns ?? 80) - 1))}`)
  }

  /** What comes next takes the place of what was drawn. */
  clear(): void {
    if (this.isLive && this.#drawn) this.#out.write('\r\x1b[2K')
    this.#drawn = false
  }

  /** Ends the line that was drawn, if there is one. */
  end(): void {
    if (this.#drawn) this.#out.write('\n')
    this.#drawn = false
  }
}

/** Exponential averages of the step metrics, and throughput over the last seconds. */
class Progress {
  #averages: Record<string, number> = {}
  #examples = 0
  /** Where the throughput is measured from: the first step is compiled, and takes longer than all that follow. */
  #window: { readonly seconds: number; readonly examples: number } | undefined
  #rate = 0

  line(
    { step, totalSteps, epoch, epochs, metrics, examples, seconds }: StepReport,
    descriptions: MetricDescriptions,
  ): string {
    for (const [name, value] of Object.entries(metrics))
      this.#averages[name] = 0.95 * (this.#averages[name] ?? value) + 0.05 * value
    this.#examples += examples
    const now = { seconds, examples: this.#examples }
    this.#window ??= now
    const span = seconds - this.#window.seconds
    const found = span > 0 ? (this.#examples - this.#window.examples) / span : 0
    if (span > 1) {
      this.#rate = found
      this.#window = now
    }
    const rate = this.#rate || found
    const done = `epoch ${epoch + 1}/${epochs}  step ${step}/${totalSteps}  ${formatMetrics(this.#averages, descriptions)}`
    if (rate === 0) return done
    const left = ((totalSteps - step) * examples) / rate
    return `${done}  ${Math.round(rate)} examples/s  ${formatDuration(left)} left`
  }
}

const redrawSeconds = 0.1
const plainLineSeconds = 10

/**
 * Shows steps and evaluations: on a terminal in one line that is drawn over, elsewhere by a line every ten seconds. `descriptions`:
 * how the metrics are read, asked for at each line.
 */
export function observeProgress(status: StatusLine, descriptions: () => MetricDescriptions): LoopObserver {
  const progress = new Progress()
  let last = Number.NEGATIVE_INFINITY
  return {
    onStep: (report) => {
      const line = progress.line(report, descriptions())
      if (report.seconds - last < (status.isLive ? redrawSeconds : plainLineSeconds)) return
      last = report.seconds
      if (status.isLive) status.draw(line)
      else status.say(line)
    },
    onEvaluation: (_step, epoch, metrics, best) => {
      status.clear()
      status.say(`epoch ${epoch + 1}  test ${formatMetrics(metrics, descriptions())}${best ? '  (best so far)' : ''}`)
    },
  }
}

/** One observer that forwards to several. */
export function observeAll(observers: readonly LoopObserver[]): LoopObserver {
  return {
    onStart: (step) => {
      for (const { onStart } of observers) onStart?.(step)
    },
    onStep: (report) => {
      for (const { onStep } of observers) onStep?.(report)
    },
    onEvaluation: (...evaluation) => {
      for (const { onEvaluation } of observers) onEvaluation?.(...evaluation)
    },
    onCheckpoint: (path) => {
      for (const { onCheckpoint } of observers) onCheckpoint?.(path)
    },
    onWarning: (message) => {
      for (const { onWarning } of observers) onWarning?.(message)
    },
  }
}

/** An observer that prints; `close` it when training has ended. */
export interface ProgressDisplay extends LoopObserver {
  readonly close: () => void
}

/**
 * Prints the progress of a training: epoch, step, averaged metrics, examples per second, time left; each evaluation in a line of its own;
 * warnings. `metrics`: how they are read (default: plain numbers). `output`: default the standard error.
 */
export function showProgress({
  metrics = {},
  output = process.stderr,
}: {
  readonly metrics?: MetricDescriptions
  readonly output?: LineOutput
} = {}): ProgressDisplay {
  const status = new StatusLine(output)
  return {
    ...observeProgress(status, () => metrics),
    onWarning: (message) => status.say(`warning: ${message}`),
    close: () => status.end(),
  }
}
