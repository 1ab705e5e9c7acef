/** What the command line prints: events for people or, with --json, one object a line. */
import type { Opening } from '../data/opening.ts'
import type { Answer } from '../tasks/define.ts'
import { formatDuration, type MetricDescriptions } from '../train/describe-metrics.ts'
import { mpiLaunch } from '../train/distributed/mpi.ts'
import type { LoopObserver } from '../train/loop.ts'
import { type LineOutput, observeProgress, StatusLine } from '../train/progress.ts'
import { errorLine } from '../util/errors.ts'
import { percent } from '../util/words.ts'
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
  /** On a terminal: says what is being worked on, and for how long, until it is told something else or nothing. */
  readonly working: (what: string | undefined) => void
  /** Ends the progress line, if there is one. */
  readonly endProgress: () => void
  /** How the metrics of what is trained are read, once that is known. */
  readonly useMetrics: (metrics: MetricDescriptions) => void
}

/** Prints nothing: of several processes only one reports. */
export const silentReporter: Reporter = {
  say: () => {},
  write: () => {},
  warn: () => {},
  event: () => {},
  observer: {},
  working: () => {},
  endProgress: () => {},
  useMetrics: () => {},
}

/** Where lines go. mpirun gives its processes a terminal of its own, whatever becomes of what they write there: nothing is drawn over. */
function standardOutput(): LineOutput {
  return mpiLaunch() ? { write: (text) => process.stdout.write(text) } : process.stdout
}

/** Prints to stdout. On a terminal progress is one line that is drawn over; elsewhere a line every ten seconds. */
export function createReporter(options: { readonly json: boolean; readonly metrics?: MetricDescriptions }): Reporter {
  let { metrics: descriptions = {} } = options
  const status = new StatusLine(standardOutput())
  const endProgress = (): void => status.end()
  const say = (line: string): void => {
    if (!options.json) status.say(line)
  }
  const write = (piece: string): void => {
    if (!options.json) status.write(piece)
  }
  const event = (name: string, fields: Record<string, unknown> = {}): void => {
    if (options.json) process.stdout.write(`${JSON.stringify({ event: name, ...fields })}\n`)
  }
  const warn = (message: string): void => {
    endProgress()
    if (options.json) event('warning', { message })
    else note(`warning: ${message}`)
  }
  const events: LoopObserver = {
    onStep: ({ step, epoch, metrics }) => event('step', { step, epoch, ...metrics }),
    onEvaluation: (step, epoch, metrics, best) => event('evaluation', { step, epoch, metrics, best }),
    onCheckpoint: (path) => event('checkpoint', { path }),
  }
  const observer: LoopObserver = {
    ...(options.json ? events : observeProgress(status, () => descriptions)),
    onWarning: warn,
  }
  const useMetrics = (metrics: MetricDescriptions): void => {
    descriptions = metrics
  }
  const working = options.json ? silentReporter.working : workingLine(status)
  return { say, write, warn, event, observer, working, endProgress, useMetrics }
}

/** Draws what is being worked on once a second, over what it drew before. */
export function workingLine(status: StatusLine): Reporter['working'] {
  let timer: NodeJS.Timeout | undefined
  return (what) => {
    clearInterval(timer)
    if (!status.isLive) return
    if (timer) status.clear()
    timer = undefined
    if (what === undefined) return
    const started = performance.now()
    const draw = (): void => status.draw(`working on ${what}  ${formatDuration((performance.now() - started) / 1000)}`)
    draw()
    timer = setInterval(draw, 1000).unref()
  }
}

/** Reads data; a terminal says so meanwhile. */
export async function readingData<T>(reporter: Reporter, read: () => Promise<T>): Promise<T> {
  reporter.working('the data')
  try {
    return await read()
  } finally {
    reporter.working(undefined)
  }
}

/**
 * Reports what was found in the data: a line for what was used, one for each warning and for what has changed. Data that are `known`
 * and unchanged, with nothing to warn about, are not reported.
 */
export function tellData({ summary, warnings, changes }: Opening, reporter: Reporter, known = false): void {
  reporter.working(undefined)
  reporter.say(`data       ${summary}`)
  for (const warning of warnings) reporter.say(`warning: ${warning}`)
  if (changes !== undefined) reporter.say(`warning: the data are not those the run was started with: ${changes}`)
  if (!known || changes !== undefined || warnings.length > 0)
    reporter.event('data', { summary, warnings, changes: changes ?? null })
}

/** An answer of a use, as a line or an event. `isWritten`: its text was shown piece by piece, and only its line is ended. */
export function tellAnswer(use: string, answer: Answer, reporter: Reporter, isWritten = false): void {
  const { input } = answer
  const named = (text: string): string => (input === undefined ? text : `${input || '""'}: ${text}`)
  if ('error' in answer) {
    const line = errorLine(answer.error)
    reporter.event('error', { use, input, message: line })
    reporter.say(named(`error: ${line.startsWith(`${input}: `) ? line.slice(`${input}: `.length) : line}`))
    return
  }
  if ('metrics' in answer) return
  reporter.event('answer', { use, ...answer })
  if ('choices' in answer) {
    const best = answer.choices.map(({ label, probability }) => `${label} ${percent(probability)}`)
    reporter.say(named(best.join(', ')))
  } else if ('text' in answer && isWritten) reporter.endProgress()
  else if ('text' in answer) reporter.say(named(answer.text))
  else if ('values' in answer) reporter.say(named(answer.line))
  else reporter.say(named(answer.file))
}
