/** The main job as a user starts it: time to the first step, pictures a second, cores kept busy, memory over many steps. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Result } from './report.ts'

export const mainJob = 'main-job'
const batchSize = 128
// Before this step the epochs' order, buffers and compiled code are still being made.
const settledStep = 1000

interface ProcessFigures {
  readonly megabytes: number
  /** Seconds of all cores together. */
  readonly cpuSeconds: number
}

/** `1:02:03.5`, `02:03.5` -> seconds. */
function clockSeconds(text: string): number {
  return text.split(/[:-]/).reduce((sum, part) => 60 * sum + Number(part), 0)
}

function figuresOf(pid: number): ProcessFigures {
  const [rss = '0', time = '0'] = execFileSync('ps', ['-o', 'rss=,cputime=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
  return { megabytes: Number(rss) / 1024, cpuSeconds: clockSeconds(time) }
}

/** Trains for `steps` steps in a process of its own. */
export async function measureMainJob(steps: number, threads: number): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tenfold-bench-'))
  const began = performance.now()
  const child = spawn(process.execPath, [
    join('bin', 'tenfold.js'),
    ...['train', 'mixer/mnist', '--epochs', String(Math.ceil((steps * batchSize) / 59_904))],
    ...['--steps', String(steps), '--threads', String(threads), '--out', join(folder, 'run'), '--json'],
  ])
  const memory: { step: number; megabytes: number }[] = []
  let startSeconds = 0
  let settled = { at: 0, cpuSeconds: 0 }
  let rate = 0
  let cores = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, step } = JSON.parse(line) as { event: string; step?: number }
    if (event !== 'step' || step === undefined || child.pid === undefined) continue
    if (step === 1) startSeconds = (performance.now() - began) / 1000
    if (step !== settledStep && step % Math.ceil(steps / 5) !== 0) continue
    const { megabytes, cpuSeconds } = figuresOf(child.pid)
    memory.push({ step, megabytes })
    const now = performance.now() / 1000
    if (step === settledStep) settled = { at: now, cpuSeconds }
    else if (settled.at > 0) {
      cores = (cpuSeconds - settled.cpuSeconds) / (now - settled.at)
      rate = ((step - settledStep) * batchSize) / (now - settled.at)
    }
  }
  rmSync(folder, { recursive: true })
  const row = (measure: string, unit: string, value: number): Result => ({
    workload: mainJob,
    measure,
    participant: 'tenfold',
    unit,
    value,
  })
  return [
    row('start', 's', startSeconds),
    row('pictures', '/s', rate),
    row('cores', 'busy', cores),
    ...memory.map(({ step, megabytes }) => row(`memory at step ${step}`, 'MB', megabytes)),
  ]
}
