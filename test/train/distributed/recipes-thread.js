// One of the threads that train recipes together; the first one also trains each alone.
import { parentPort, workerData } from 'node:worker_threads'
import { findRecipe, prepareTraining } from '../../../dist/systems/session.js'
import { trainDistributed } from '../../../dist/train/distributed/training.js'
import { configFrom, parseAssignment } from '../../../dist/train/settings.js'
import { threadCommunicator } from '../../support/threads.js'

/** Keeps the newest checkpoint and the log in memory. */
function memoryStore() {
  const store = {
    metrics: 'the log',
    lines: [],
    newest: undefined,
    recover: async () => store.newest,
    saveCheckpoint: async (variables, state) => {
      const tensors = [...variables].map(([name, { array }]) => [name, { ...array, data: array.data.slice() }])
      store.newest = { path: `step ${state.step}`, tensors: new Map(tensors), state }
      return store.newest.path
    },
    markBest: async () => undefined,
    append: async (lines) => void store.lines.push(...lines),
    readMetrics: async () => store.lines,
    saveSnapshots: async () => undefined,
    truncateLog: async () => undefined,
    isExtendedAt: () => false,
  }
  return store
}

/** Data are opened once for each case. */
async function opened({ recipe: name, set }) {
  const { recipe } = await findRecipe(name)
  const config = configFrom(recipe.config, set.map(parseAssignment))
  const data = await recipe.open(config, {})
  return { recipe, config, data: { ...data, test: { ...data.test, length: 8 } } }
}

async function trained({ recipe, config, data }, { steps, stopAt }, communicator) {
  const store = communicator.rank === 0 ? memoryStore() : undefined
  for (const end of [...(stopAt ? [stopAt] : []), steps]) {
    const { task, loop } = prepareTraining(recipe.build(config, data.facts, { seed: 5, threads: 1 }), data)
    await trainDistributed(communicator, task.distributed(communicator), store, { ...loop, steps: end })
  }
  if (!store) return undefined
  const losses = store.lines.filter(({ type }) => type === 'step')
  return { losses, evaluations: store.lines.filter(({ type }) => type === 'evaluation'), tensors: store.newest.tensors }
}

const alone = {
  rank: 0,
  size: 1,
  sum: async () => undefined,
  broadcast: async () => undefined,
  close: async () => undefined,
}
const { board, rank, cases } = workerData
const communicator = threadCommunicator(board, rank)
const results = []
for (const each of cases) {
  const task = await opened(each)
  const together = await trained(task, each, communicator)
  if (rank === 0) results.push({ together, alone: await trained(task, each, alone) })
}
parentPort.postMessage(results)
