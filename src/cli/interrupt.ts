/** Requests to stop: a signal, or an output that nobody reads any more. Work that can go on later is saved first. */
import { constants } from 'node:os'
import { note, onOutputEnd } from './output.ts'
import type { Reporter } from './ui.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** SIGPIPE stands for an output that ended: Node knows it as an error only. */
type StopSignal = (typeof signals)[number] | 'SIGPIPE'

/** Why work was stopped: the reason of an interrupted `AbortSignal`. */
export class Interruption extends Error {
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }

  /** As a shell has it for a program that a signal ended. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal]
  }
}

/** The exit code after an abort for `reason`. */
export function interruptExitCode(reason: unknown): number {
  return reason instanceof Interruption ? reason.exitCode : 1
}

type StopListener = (name: StopSignal) => void

/** Who hears of requests to stop: the last one only. */
const listeners: StopListener[] = []
const tell: StopListener = (name) => listeners.at(-1)?.(name)

let forgetOutput = (): void => {}

/** From now on, `listener` hears of requests to stop; the function it returns takes that back. */
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
 * Does work that a request to stop ends at once, with the exit code that tells of it, as long as nothing within has its own
 * `interruptSignal`: nothing is begun yet that would have to be saved.
 */
export async function quitOnInterrupt<T>(work: () => Promise<T>): Promise<T> {
  const dispose = onStop((name) => process.exit(new Interruption(name).exitCode))
  try {
    return await work()
  } finally {
    dispose()
  }
}

// npx passes Ctrl-C on to a program that the terminal has sent it to already.
const sameKeyPress = 1000

/**
 * A signal that is aborted when the program is asked to stop. A second Ctrl-C quits at once. SIGTERM and SIGHUP may come again
 * and again (a terminal that closes sends several): work ends in order all the same.
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
    if (name === 'SIGPIPE') note(`nobody reads the output: ${message}`)
    else reporter.say(`${message}; Ctrl-C again quits at once`)
  }
  return { signal: controller.signal, dispose: onStop(stop) }
}
