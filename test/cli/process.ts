/** The built program in a process of its own, for tests of what only a process has: signals, pipes, exit codes. */
import { execFile } from 'node:child_process'

export const program = new URL('../../bin/tenfold.js', import.meta.url).pathname

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the program to its end. */
export function tenfold(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

/** The events of `--json`. */
export function eventsOf(out: string): Record<string, unknown>[] {
  return out
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Settings of a Mixer that trains in no time. */
export const small = ['hidden_dim=16', 'num_blocks=1', 'tokens_mlp_dim=8', 'channels_mlp_dim=16'].flatMap((setting) => [
  '--set',
  `model.${setting}`,
])
