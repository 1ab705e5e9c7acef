/** Requests to stop: a signal, or an output that is no longer read. Work that can be continued is saved first. */
import { constants } from 'node:os'
import { note, onOutputEnd } from './output.ts'
import type { Reporter } from './ui.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** SIGPIPE stands for an output that was closed: Node only reports it as an error. */
type StopSignal = (typeof signals)[number] | 'SIGPIPE'

/** Why work was stopped: the reason of an interrupted `AbortSignal`. */
export class Interruption extends Error {
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }

  /** The exit code that a shell reports for a program ended by a signal. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal]
  }
}

/** The exit code after an abort for `reason`. */
export function interruptExitCode(reason: unknown): number {
  return reason instanceof Interruption ? reason.exitCode : 1
}

type StopListener = (name: StopSignal) => void

/** Listeners for requests to stop: only the last one is called. */
const listeners: StopListener[] = []
const tell: StopListener = (name) => listeners.at(-1)?.(name)

let forgetOutput = (): void => {}

/** From now on, `listener` is called for requests to stop; the function it returns cancels that. */
function onStop(listener: StopListener): () => void {
  if (listeners.length === 0) {
    for (const name of signals) process.on(name, tell)
    forgetOutput = onOutputEnd(() => tell('SIGPIPE'))
  }
  listeners.push(listener)
  return () => {
    listeners.splice(listeners.indexOf(listener), 1)
    if (listeners.length > 0) return
    for (const name of signals) process.removeListener(name, tell)
    forgetOutput()
  }
}

/**
 * Does work that a request to stop ends at once, with the exit code for the signal, unless something inside has its own
 * `interruptSignal`: there is nothing that would have to be saved. `tell` says what is left, if anything is.
 */
export async function quitOnInterrupt<T>(
  work: () => Promise<T>,
  tell: (interruption: Interruption) => void = () => {},
): Promise<T> {
  const dispose = onStop((name) => {
    const interruption = new Interruption(name)
    tell(interruption)
    process.exit(interruption.exitCode)
  })
  try {
    return await work()
  } finally {
    dispose()
  }
}

// npx passes Ctrl-C on to a program that the terminal has sent it to already.
const sameKeyPress = 1000

/**
 * A signal that is aborted when the program is asked to stop. A second Ctrl-C quits at once. SIGTERM and SIGHUP may arrive
 * several times (when a terminal closes): work still ends in order.
 */
export function interruptSignal(
  reporter: Reporter,
  message = 'stopping after this step',
): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController()
  let interruptedAt: number | undefined
  const stop = (name: StopSignal): void => {
    if (name === 'SIGINT') {
      if (interruptedAt !== undefined && performance.now() - interruptedAt > sameKeyPress) process.exit(130)
      interruptedAt ??= performance.now()
    }
    if (controller.signal.aborted) return
    controller.abort(new Interruption(name))
    reporter.endProgress()
    if (name === 'SIGPIPE') note(`the output is no longer read: ${message}`)
    else reporter.say(`${message}; Ctrl-C again quits at once`)
  }
  return { signal: controller.signal, dispose: onStop(stop) }
}
