/** What the command line prints: events for people or, with --json, one object a line. */

import type { LoopObserver, Metrics, StepReport } from '../train/loop.ts'
import { note } from './output.ts'

/** Where a command reports to. */
export interface Reporter {
  /** A line for people; not printed with --json. */
  readonly say: (line: string) => void
  /** What is wrong, though the command goes on: beside the output, or an event with --json. */
  readonly warn: (message: string) => void
  /** A machine-readable event; printed only with --json. */
  readonly event: (event: string, fields?: Record<string, unknown>) => void
  /** Observer of the training loop. */
  readonly observer: LoopObserver
  /** Ends the progress line, if one stands. */
  readonly endProgress: () => void
}

/** `1:05`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A metric as people read it: accuracies in percent, the rest with four significant digits. */
export function formatMetric(name: string, value: number): string {
  return /accuracy|f1|precision|recall/.test(name) ? `${(100 * value).toFixed(2)} %` : value.toPrecision(4)
}

export function formatMetrics(metrics: Metrics): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(name, value)}`)
    .join(', ')
}

/** Exponential averages of the step metrics, and throughput over the last seconds. */
class Progress {
  #averages: Record<string, number> = {}
  #examples = 0
  #windowExamples = 0
  #windowStart = 0
  #rate = 0

  line({ step, totalSteps, epoch, epochs, metrics, examples, seconds }: StepReport): string {
    for (const [name, value] of Object.entries(metrics))
      this.#averages[name] = 0.95 * (this.#averages[name] ?? value) + 0.05 * value
    this.#examples += examples
    if (seconds - this.#windowStart > 1) {
      this.#rate = (this.#examples - this.#windowExamples) / (seconds - this.#windowStart)
      this.#windowStart = seconds
      this.#windowExamples = this.#examples
    }
    const rate = this.#rate || this.#examples / Math.max(seconds, 1e-3)
    const left = ((totalSteps - step) * examples) / rate
    const values = formatMetrics(this.#averages)
    return `epoch ${epoch + 1}/${epochs}  step ${step}/${totalSteps}  ${values}  ${Math.round(rate)} examples/s  ${formatDuration(left)} left`
  }
}

const redrawSeconds = 0.1
const plainLineSeconds = 10

/** Prints to stdout. On a terminal progress is one line that is drawn over; elsewhere a line every ten seconds. */
export function createReporter(options: { readonly json: boolean }): Reporter {
  const out = process.stdout
  const live = !options.json && out.isTTY
  const progress = new Progress()
  let drawn = false
  let last = Number.NEGATIVE_INFINITY
  const endProgress = (): void => {
    if (drawn) out.write('\n')
    drawn = false
  }
  const say = (line: string): void => {
    if (options.json) return
    endProgress()
    out.write(`${line}\n`)
  }
  const event = (name: string, fields: Record<string, unknown> = {}): void => {
    if (options.json) out.write(`${JSON.stringify({ event: name, ...fields })}\n`)
  }
  const warn = (message: string): void => {
    endProgress()
    if (options.json) event('warning', { message })
    else note(`warning: ${message}`)
  }
  const observer: LoopObserver = {
    onWarning: warn,
    onStep: (report) => {
      const { step, epoch, metrics } = report
      event('step', { step, epoch, ...metrics })
      const line = progress.line(report)
      if (options.json || report.seconds - last < (live ? redrawSeconds : plainLineSeconds)) return
      last = report.seconds
      if (!live) return say(line)
      out.write(`\r\x1b[2K${line.slice(0, Math.max(20, (out.columns ?? 80) - 1))}`)
      drawn = true
    },
    onEvaluation: (step, epoch, metrics, best) => {
      event('evaluation', { step, epoch, metrics, best })
      if (live && drawn) out.write('\r\x1b[2K')
      drawn = false
      say(`epoch ${epoch + 1}  test ${formatMetrics(metrics)}${best ? '  (best so far)' : ''}`)
    },
    onCheckpoint: (path) => event('checkpoint', { path }),
  }
  return { say, warn, event, observer, endProgress }
}
