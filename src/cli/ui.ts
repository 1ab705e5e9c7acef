/** What the command line prints: events for people or, with --json, one object a line. */
import type { Opening } from '../data/opening.ts'
import type { Answer, Metric, MetricDescriptions } from '../tasks/define.ts'
import type { LoopObserver, Metrics, StepReport } from '../train/loop.ts'
import { errorLine } from '../util/errors.ts'
import { note } from './output.ts'

/** Where a command reports to. */
export interface Reporter {
  /** A line for people; not printed with --json. */
  readonly say: (line: string) => void
  /** A piece of a line, which `say` or the next `endProgress` ends; not printed with --json. */
  readonly write: (piece: string) => void
  /** A problem that does not stop the command: on standard error, or an event with --json. */
  readonly warn: (message: string) => void
  /** A machine-readable event; printed only with --json. */
  readonly event: (event: string, fields?: Record<string, unknown>) => void
  /** Observer of the training loop. */
  readonly observer: LoopObserver
  /** Ends the progress line, if there is one. */
  readonly endProgress: () => void
  /** How the metrics of what is trained are read, once that is known. */
  readonly useMetrics: (metrics: MetricDescriptions) => void
}

/** `1:05`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

/** A metric as text: shares in percent, the rest with four significant digits. */
export function formatMetric(value: number, { unit }: Partial<Metric> = {}): string {
  if (unit === 'percent') return `${(100 * value).toFixed(2)} %`
  return unit === undefined ? value.toPrecision(4) : `${value.toPrecision(4)} ${unit}`
}

export function formatMetrics(metrics: Metrics, descriptions: MetricDescriptions = {}): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value, descriptions[name])}`)
    .join(', ')
}

/** Exponential averages of the step metrics, and throughput over the last seconds. */
class Progress {
  #averages: Record<string, number> = {}
  #examples = 0
  #windowExamples = 0
  #windowStart = 0
  #rate = 0

  line(
    { step, totalSteps, epoch, epochs, metrics, examples, seconds }: StepReport,
    descriptions: MetricDescriptions,
  ): string {
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
    const values = formatMetrics(this.#averages, descriptions)
    return `epoch ${epoch + 1}/${epochs}  step ${step}/${totalSteps}  ${values}  ${Math.round(rate)} examples/s  ${formatDuration(left)} left`
  }
}

const redrawSeconds = 0.1
const plainLineSeconds = 10

/** Prints to stdout. On a terminal progress is one line that is drawn over; elsewhere a line every ten seconds. */
export function createReporter(options: { readonly json: boolean; readonly metrics?: MetricDescriptions }): Reporter {
  let { metrics: descriptions = {} } = options
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
  const write = (piece: string): void => {
    if (options.json) return
    out.write(piece)
    drawn = true
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
      const line = progress.line(report, descriptions)
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
      say(`epoch ${epoch + 1}  test ${formatMetrics(metrics, descriptions)}${best ? '  (best so far)' : ''}`)
    },
    onCheckpoint: (path) => event('checkpoint', { path }),
  }
  const useMetrics = (metrics: MetricDescriptions): void => {
    descriptions = metrics
  }
  return { say, write, warn, event, observer, endProgress, useMetrics }
}

/**
 * Reports what was found in the data: a line for what was used, one for each warning and for what has changed. Data that are `known`
 * and unchanged, with nothing to warn about, are not reported.
 */
export function tellData({ summary, warnings, changes }: Opening, reporter: Reporter, known = false): void {
  reporter.say(`data       ${summary}`)
  for (const warning of warnings) reporter.say(`warning: ${warning}`)
  if (changes !== undefined) reporter.say(`warning: the data are not those the run was started with: ${changes}`)
  if (!known || changes !== undefined || warnings.length > 0)
    reporter.event('data', { summary, warnings, changes: changes ?? null })
}

/** An answer of a use, as a line or an event. `isWritten`: its text was shown piece by piece, and only its line is ended. */
export function tellAnswer(use: string, answer: Answer, reporter: Reporter, isWritten = false): void {
  const { input } = answer
  const named = (text: string): string => (input === undefined ? text : `${input}: ${text}`)
  if ('error' in answer) {
    const line = errorLine(answer.error)
    reporter.event('error', { use, input, message: line })
    reporter.say(named(`error: ${line.startsWith(`${input}: `) ? line.slice(`${input}: `.length) : line}`))
    return
  }
  if ('metrics' in answer) return
  reporter.event('answer', { use, ...answer })
  if ('choices' in answer) {
    const best = answer.choices.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`)
    reporter.say(named(best.join(', ')))
  } else if ('text' in answer && isWritten) reporter.endProgress()
  else if ('text' in answer) reporter.say(named(answer.text))
  else if ('values' in answer) reporter.say(named(answer.line))
  else reporter.say(named(answer.file))
}
