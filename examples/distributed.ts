/**
 * Data-parallel training in a loop of one's own: each process computes its part of every batch, gradients are summed over all, and all
 * hold the same weights. It gives the numbers of one process, to rounding.
 *
 *   mpirun -n 2 npm run example -- distributed [--out FILE] [--steps N]
 *
 * needs Open MPI (apt-get install openmpi-bin); without mpirun the same file trains alone.
 */
import { parseArgs } from 'node:util'
import { compile, manualSeed, nn, ops, optim, type Tensor } from 'tenfold'
import { arrayDataset, type BatchTensors, DataLoader, writeSafetensorsFile } from 'tenfold/data'
import { accuracy, broadcastVariables, connectMpi } from 'tenfold/train'

const { values: given } = parseArgs({
  options: { out: { type: 'string', default: 'runs/circle.safetensors' }, steps: { type: 'string', default: '300' } },
})
const steps = Number(given.steps)
const group = process.env.OMPI_COMM_WORLD_SIZE === undefined ? undefined : await connectMpi()
const rank = group?.rank ?? 0

// Is a point inside the unit circle? All processes make the same points, and read parts of the same batches.
const count = 1000
const points = Float32Array.from({ length: 2 * count }, (_, i) => 1.5 * Math.sin(i % 2 === 0 ? 3 * i : 7 * i))
const labels = Int32Array.from({ length: count }, (_, i) =>
  Number(Math.hypot(points[2 * i] ?? 0, points[2 * i + 1] ?? 0) < 1),
)
manualSeed(1)
const loader = new DataLoader(
  arrayDataset({
    point: { dtype: 'float32', shape: [count, 2], data: points },
    label: { dtype: 'int32', shape: [count], data: labels },
  }),
  { batchSize: 64, shuffle: true, ...(group && { part: group }) },
)

const model = new nn.Sequential(
  new nn.Linear(2, 64, { bias: false }),
  new nn.BatchNorm1d(64),
  new nn.GELU(),
  new nn.Linear(64, 2),
)
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 })
// Equal seeds give equal weights; this makes sure of it.
if (group) await broadcastVariables(group, model.variables().values())

const step = compile(
  ({ point, label }: BatchTensors<'point' | 'label'>) => {
    const loss = ops.crossEntropy(model.forward(point), label)
    // The last batch of an epoch does not divide evenly: a process counts by its examples.
    const [weight] = label.sizes(1)
    optimizer.minimize(loss, { weight, clipNorm: 1 })
    return { loss: ops.meanOverRanks(loss, weight) }
  },
  { threads: 1, ...(group && { communicator: group }) },
)

for (let done = 0; done < steps; ) {
  for await (const batch of loader) {
    const { loss } = await step(batch)
    if (rank === 0 && done % 100 === 0) console.log(`step ${done}: loss ${loss.item().toFixed(4)}`)
    if (++done >= steps) break
  }
}

// Rank 0 alone evaluates and saves.
if (rank === 0) {
  model.eval()
  const classify = compile((x: Tensor) => ops.argmax(model.forward(x), -1))
  const guesses = await (await classify({ dtype: 'float32', shape: [count, 2], data: points })).numbers()
  console.log(`accuracy ${accuracy(guesses as number[], [...labels]).toFixed(3)} after ${steps} steps`)
  await writeSafetensorsFile(given.out, model.stateDict())
}
await group?.close()
