/** The page that runs the checks of a runtime in a worker. */
import type { RuntimeOptions } from '../../../src/runtime/session.ts'
import { TrainingWorker } from '../../../src/web/training-worker.ts'
import type { checker } from './conformance.ts'

const worker = new TrainingWorker<typeof checker>(() => new Worker('./conformance.js', { type: 'module' }))

Object.assign(globalThis, {
  page: {
    start: (runtime: RuntimeOptions) => worker.start(undefined, { ...runtime, files: '/runtime/' }),
    run: (name: string) => worker.ask('run', name),
  },
})
