/** The acceptance page: what a page would do with its worker, and what it sees meanwhile. */
import { TrainingWorker } from '../../../src/web/training-worker.ts'
import type { LearnerName } from './learners.ts'
import type { learn } from './worker.ts'

let worker: TrainingWorker<typeof learn> | undefined
const milliseconds: number[] = []
const losses: number[] = []
let firstStep = 0

/** Frames a second, over a second and a half. */
async function framesPerSecond(): Promise<number> {
  const start = performance.now()
  let frames = 0
  while (performance.now() - start < 1500) {
    await new Promise(requestAnimationFrame)
    frames++
  }
  return (frames * 1000) / (performance.now() - start)
}

const page = {
  start: async (name: LearnerName, runtime: { device?: 'cpu' | 'webgpu'; threads?: number } = {}): Promise<void> => {
    worker ??= new TrainingWorker<typeof learn>(() => new Worker('./worker.js', { type: 'module' }), {
      onSteps: (reports) => {
        firstStep ||= performance.now()
        for (const report of reports) {
          losses.push(report.values.loss)
          milliseconds.push(report.milliseconds)
        }
      },
    })
    await worker.start({ name }, { ...runtime, files: '/runtime/' })
  },
  /** Losses of the next steps, and how long each took. */
  train: async (steps: number) => {
    losses.length = 0
    milliseconds.length = 0
    const end = await worker?.train({ steps })
    return { end, losses: [...losses], milliseconds: [...milliseconds] }
  },
  hashes: () => worker?.ask('hashes'),
  predict: () => worker?.ask('predict'),
  /** Collects garbage, in the page and in its worker. */
  collect: async () => {
    ;(globalThis as { gc?: () => void }).gc?.()
    await worker?.ask('collect')
  },
  /** Only of the worker that tells. */
  placements: () => worker?.ask('placements' as 'predict'),
  stays: () => worker?.ask('stays' as 'predict'),
  /** Frames a second without training and with it, and how long predictions take meanwhile, beside the time of a step. */
  whileTraining: async () => {
    const idle = await framesPerSecond()
    milliseconds.length = 0
    const end = worker?.train()
    const training = await framesPerSecond()
    const answers: number[] = []
    for (let i = 0; i < 5; i++) {
      const start = performance.now()
      await worker?.ask('predict')
      answers.push(performance.now() - start)
    }
    await worker?.pause()
    return { end: await end, idle, training, answers, steps: [...milliseconds] }
  },
  /** The message of a mistake in the worker, and whether it goes on. */
  fail: async () => {
    const message = await worker?.ask('fail').then(
      () => 'nothing',
      (error: Error) => error.message,
    )
    return { message, goesOn: (await worker?.train({ steps: 1 })) === 'done' }
  },
  /** Milliseconds from the page's start to the first step's report. */
  firstStep: () => firstStep,
  stop: () => {
    worker?.stop()
    worker = undefined
  },
}

export type Page = typeof page

Object.assign(globalThis, { page })
