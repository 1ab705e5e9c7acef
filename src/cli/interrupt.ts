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
  for (const name of signals) process.on(name, stop)
  const forgetOutput = onOutputEnd(() => stop('SIGPIPE'))
  const dispose = (): void => {
    for (const name of signals) process.removeListener(name, stop)
    forgetOutput()
  }
  return { signal: controller.signal, dispose }
}
