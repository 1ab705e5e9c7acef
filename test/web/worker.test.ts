/** A page and its worker, over a channel instead of a thread; in a browser both are tested by `npm run test:web`. */
import { afterEach, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/util/errors.ts'
import { turn } from '../../src/util/turn.ts'
import { type Host, serve } from '../../src/web/serve.ts'
import { type TrainingListener, TrainingWorker, type ValuesOf, type WorkerLike } from '../../src/web/training-worker.ts'
import { told } from '../data/support.ts'

/** Grows with every test: these workers cannot be terminated, so that what they train ends by itself. */
let tests = 0

/** Counts down from `from`; the last step fails if it is asked to. */
const program = async ({ from, failing = false }: { from: number; failing?: boolean }, { progress }: Host) => {
  if (from < 0) throw new UsageError(`from: must be at least 0, found ${from}`, { hint: 'count down\n from 3' })
  progress({ what: 'opening', fraction: 0.5 })
  const own = tests
  let [left, isReleased] = [from, false]
  return {
    step: async () => {
      await turn()
      if (failing && left === 1) throw new Error('broken\n    at line 1')
      return left > 0 && own === tests ? { left: left-- } : undefined
    },
    requests: {
      left: () => left,
      add: async (more: Int32Array) => {
        left += more[0] ?? 0
        return left
      },
      /** Takes some turns. */
      slowly: async () => {
        for (let i = 0; i < 5; i++) await turn()
        return isReleased
      },
      secret: () => () => 1,
    },
    release: async () => {
      isReleased = true
    },
  }
}

type Program = typeof program

const open: MessageChannel[] = []
const workers: { emit: (type: string, event: Event) => void; terminated: boolean }[] = []

/** A worker in this thread. */
function makeWorker(): WorkerLike {
  const channel = new MessageChannel()
  open.push(channel)
  const { port1, port2 } = channel
  const listeners: [string, (event: Event) => void][] = []
  serve(program, {
    postMessage: (message, transfer) => port2.postMessage(message, transfer),
    addEventListener: (_type, listener) => {
      port2.onmessage = listener
    },
  })
  const worker = {
    terminated: false,
    emit: (type: string, event: Event) => {
      for (const [each, listener] of listeners) if (each === type) listener(event)
    },
  }
  workers.push(worker)
  return {
    postMessage: (message, transfer) => port1.postMessage(message, transfer),
    addEventListener: (type: string, listener: (event: never) => void) => {
      if (type === 'message') port1.onmessage = listener as (event: MessageEvent) => void
      else listeners.push([type, listener as (event: Event) => void])
    },
    terminate: () => {
      worker.terminated = true
    },
  }
}

const newWorker = (listener: TrainingListener<ValuesOf<Program>> = {}): TrainingWorker<Program> =>
  new TrainingWorker<Program>(makeWorker, listener)

afterEach(async () => {
  tests++
  await turn()
  for (const { port1, port2 } of open.splice(0)) {
    port1.close()
    port2.close()
  }
  workers.length = 0
})

test('trains, reports every step, answers meanwhile, pauses and goes on', async () => {
  const seen: number[] = []
  const worker = newWorker({
    onSteps: (reports) => seen.push(...reports.map(({ step, values }) => step * 100 + values.left)),
  })
  await worker.start({ from: 1000 })
  expect(await worker.train({ steps: 2 })).toBe('done')
  expect(seen).toEqual([200 + 900, 200 + 999])
  const end = worker.train()
  // Not after the end of training.
  const left = await worker.ask('left')
  expect(left).toBeLessThanOrEqual(998)
  expect(await told(() => worker.train())).toBe('TenfoldError: the model is training already | await pause() first')
  await worker.pause()
  expect(await end).toBe('paused')
  const more = await worker.ask('add', Int32Array.of(1))
  expect(more).toBeLessThanOrEqual(left + 1)
  expect(await worker.train()).toBe('finished')
  expect(seen.length).toBe(1001)
  expect(await worker.train({ steps: 3 })).toBe('finished')
})

test('starts are one after the other, and the last model stays', async () => {
  const worker = newWorker()
  const first = worker.start({ from: 5 })
  await worker.start({ from: 9 })
  await first
  expect(await worker.ask('left')).toBe(9)
  expect(await worker.train({ steps: 2 })).toBe('done')
})

test('a start that the runtime refuses leaves the model as it is', async () => {
  const worker = newWorker()
  await worker.start({ from: 5 })
  expect(await told(() => worker.start({ from: 9 }, { device: 'webgpu' }))).toMatch(/^TenfoldError: device: /)
  expect(await worker.ask('left')).toBe(5)
})

test('the files of the runtime are where the page says, not where the script of the worker lies', async () => {
  vi.stubGlobal('location', { href: 'http://page.example/app/index.html' })
  const sent: unknown[] = []
  const worker = new TrainingWorker<Program>(() => ({
    postMessage: (message) => sent.push(message),
    addEventListener: () => {},
    terminate: () => {},
  }))
  void worker.start({ from: 1 }, { threads: 2, files: './runtime/' }).catch(() => {})
  vi.unstubAllGlobals()
  expect(sent).toMatchObject([{ runtime: { threads: 2, files: 'http://page.example/app/runtime/' } }])
})

test('steps are a whole number', async () => {
  const worker = newWorker()
  await worker.start({ from: 5 })
  for (const steps of [Number.NaN, -1, 2.5])
    expect(await told(() => worker.train({ steps }))).toBe(
      `TenfoldError: train: steps must be a whole number of at least 0, found ${steps}`,
    )
  expect(await worker.train({ steps: 0 })).toBe('done')
})

test('errors are one line, and the worker goes on', async () => {
  const worker = newWorker()
  expect(await told(() => worker.train())).toBe('UsageError: no worker runs | await start() first')
  expect(await told(() => worker.start({ from: -1 }))).toBe(
    'TenfoldError: from: must be at least 0, found -1 | count down\n from 3',
  )
  expect(await told(() => worker.train())).toBe('TenfoldError: the worker has no model | await start() first')
  await worker.start({ from: 3, failing: true })
  expect(await told(() => worker.train())).toBe('TenfoldError: broken')
  expect(await worker.ask('left')).toBe(1)
  expect(await told(() => worker.ask('lef' as 'left'))).toBe(
    'TenfoldError: the model answers no "lef", only left, add, slowly, secret',
  )
  expect(await told(() => worker.ask('secret'))).toMatch(/^TenfoldError: .* could not be cloned\.$/)
  expect(await told(() => worker.ask('add', (() => 1) as never))).toMatch(
    /^UsageError: what is sent to a worker must be plain data: .* could not be cloned\.$/,
  )
})

test('a worker that is stopped or breaks answers nothing more; start makes another', async () => {
  const broken: string[] = []
  const opening: string[] = []
  const worker = newWorker({
    onBreak: ({ message, hint }) => broken.push(`${message} | ${hint}`),
    onProgress: ({ what, fraction }) => opening.push(`${what} ${fraction}`),
  })
  const starting = told(() => worker.start({ from: 3 }))
  workers[0]?.emit('error', new Event('error'))
  expect(await starting).toBe(
    'TenfoldError: the worker could not be started | its script must be served beside the page, as JavaScript',
  )
  expect(worker.isRunning).toBe(false)
  await worker.start({ from: 1e9 })
  expect(opening).toEqual(['opening 0.5'])
  const training = told(() => worker.train())
  await worker.ask('left')
  workers[1]?.emit('error', Object.assign(new Event('error'), { message: 'out of memory\n at' }))
  expect(await training).toBe('TenfoldError: the worker failed: out of memory | start it again')
  expect(broken.map((line) => line.split(' | ')[0])).toEqual([
    'the worker could not be started',
    'the worker failed: out of memory',
  ])
  await worker.start({ from: 1e9 })
  const stopped = told(() => worker.train())
  worker.stop()
  expect(await stopped).toBe('TenfoldError: the worker was stopped')
  expect(workers.map(({ terminated }) => terminated)).toEqual([true, true, true])
})

test('another model takes the place of the first, also while that one trains', async () => {
  const worker = newWorker()
  await worker.start({ from: 1e9 })
  const end = worker.train()
  await worker.start({ from: 2 })
  expect(await end).toBe('paused')
  expect(await worker.ask('left')).toBe(2)
  expect(await worker.train()).toBe('finished')
})

test('a model answers what it was asked before another takes its place', async () => {
  const worker = newWorker()
  await worker.start({ from: 5 })
  const answer = worker.ask('slowly')
  const next = worker.start({ from: 9 })
  const late = told(() => worker.ask('left'))
  expect(await answer).toBe(false)
  expect(await late).toBe('TenfoldError: the worker has no model | await start() first')
  await next
  expect(await worker.ask('left')).toBe(9)
})
