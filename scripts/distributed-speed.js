// Milliseconds of a training step of recipes, each process with one thread and its part of the batch (docs/guide/distributed.md):
//   node scripts/distributed-speed.js mixer/mnist fnet/listops
//   mpirun -n 2 node scripts/distributed-speed.js mixer/mnist fnet/listops
import { findRecipe, prepareRun, prepareTraining } from '../dist/systems/session.js'
import { connectMpi, mpiLaunch } from '../dist/train/distributed/mpi.js'
import { configFrom } from '../dist/train/settings.js'

const communicator = mpiLaunch() ? await connectMpi() : undefined
const [warmUp, measured] = [5, 30]
for (const name of process.argv.slice(2)) {
  const { recipe } = findRecipe(name)
  const { experiment, data } = await prepareRun(
    recipe,
    configFrom(recipe.config, []),
    { seed: 0, threads: 1 },
    () => {},
  )
  const whole = prepareTraining(experiment, data).task
  const task = communicator ? whole.distributed(communicator) : whole
  const times = []
  const batches = task.loader[Symbol.asyncIterator]()
  for (let i = 0; i < warmUp + measured; i++) {
    const start = performance.now()
    const { value, done } = await batches.next()
    if (done) break
    await task.step(value)
    if (i >= warmUp) times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const [best, median] = [times[0], times[times.length >> 1]].map((time) => (time ?? Number.NaN).toFixed(1))
  if ((communicator?.rank ?? 0) === 0)
    console.log(`${name}  processes ${communicator?.size ?? 1}  step: median ${median} ms, best ${best} ms`)
  await task.step.release()
}
await communicator?.close()
