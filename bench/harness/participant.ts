/** A process that takes part in a measurement, tenfold's or a peer's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** How a participant is started. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** What a process answers to a number of steps. */
export interface Slice {
  /** ms for each step. */
  readonly times: readonly number[]
  /** Peak resident memory so far, in MB. */
  readonly peak: number
}

export class Participant {
  readonly name: string
  /** Seconds from the start of the process to its first finished step. */
  readonly startSeconds: number
  /** Losses of the first three steps. */
  readonly losses: readonly number[]
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(
    name: string,
    process: ChildProcess,
    lines: AsyncIterator<string>,
    startSeconds: number,
    losses: readonly number[],
  ) {
    this.name = name
    this.#process = process
    this.#lines = lines
    this.startSeconds = startSeconds
    this.losses = losses
  }

  /** Starts the process and waits for its first three steps. Throws an Error with what it said if it fails. */
  static async start(name: string, command: Command): Promise<Participant> {
    const began = performance.now()
    const child = spawn(command.program, command.args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...command.env },
    })
    let complaint = ''
    child.stderr.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2000)
    })
    if (!child.stdout) throw new Error('no output')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    try {
      await readAnswer(lines)
      const startSeconds = (performance.now() - began) / 1000
      const { losses } = (await readAnswer(lines)) as { losses: number[] }
      return new Participant(name, child, lines, startSeconds, losses)
    } catch {
      child.kill()
      const lastWords = complaint.trim().split('\n')
      throw new Error(lastWords.find((text) => /error/i.test(text)) ?? lastWords.at(-1) ?? 'it ended without a word')
    }
  }

  async run(steps: number): Promise<Slice> {
    this.#process.stdin?.write(`${steps}\n`)
    return (await readAnswer(this.#lines)) as Slice
  }

  stop(): void {
    this.#process.kill()
  }
}

async function readAnswer(lines: AsyncIterator<string>): Promise<unknown> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) throw new Error('ended')
    if (value.startsWith('{')) return JSON.parse(value)
  }
}
