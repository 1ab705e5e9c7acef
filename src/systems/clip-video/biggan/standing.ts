/** Standing statistics (Brock et al. 2018, appendix D): what the batch norms of a generator see, averaged over many batches, for each truncation. */
import { compile } from '../../../compile/compile.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import type { BigGAN, BigGANBatchNorm } from './generator.ts'
import { oneHotRows } from './sampling.ts'

/** Pictures in a batch. */
const batchSize = 64
/** Steps of the power iteration that new weights get before anything is measured. */
const settlingSteps = 5

/** How many batches for each row of the tables, and how they are drawn. */
export interface StandingOptions extends ThreadOptions {
  readonly batches: number
  readonly seed: number
}

/** Makes a function that fills the tables of all norms, row i for truncation i / (rows - 1), and brings the spectral norms up to date. */
export function standingStatistics(model: BigGAN, { batches, seed, ...threads }: StandingOptions): () => Promise<void> {
  const { z_dim, num_classes, n_stats } = model.config
  let norms: readonly BigGANBatchNorm[] = []
  const run = compile((noise: Tensor, classes: Tensor) => {
    const seen: { norm: BigGANBatchNorm; mean: Tensor; variance: Tensor }[] = []
    model.forward(noise, classes, (norm, mean, variance) => void seen.push({ norm, mean, variance }))
    norms = seen.map(({ norm }) => norm)
    return seen.flatMap(({ mean, variance }) => [mean, variance])
  }, threads)
  return async () => {
    const random = new Generator(seed)
    const wasTraining = model.training
    model.train() // each pass is a step of the power iteration
    const pass = async (truncation: number): Promise<number[][]> => {
      const noise = random.truncatedNormal(batchSize * z_dim).map((value) => truncation * value)
      const labels = Array.from(random.integers(0, num_classes, batchSize))
      const classes = oneHotRows(labels, batchSize, num_classes)
      const found = await run(
        constant(noise, [batchSize, z_dim], 'float32'),
        constant(classes, [batchSize, num_classes], 'float32'),
      )
      return found.map(({ array }) => toNumbers(array.data))
    }
    for (let i = 0; i < settlingSteps; i++) await pass(1)
    const tables = norms.map(({ running_means, running_vars }) => [
      running_means.data.slice(),
      running_vars.data.slice(),
    ])
    for (let row = 0; row < n_stats; row++) {
      for (let batch = 0; batch < batches; batch++) {
        const values = await pass(row / (n_stats - 1))
        for (const [i, table] of tables.flat().entries()) {
          const own = values[i] ?? []
          for (const [c, value] of own.entries()) {
            const at = row * own.length + c
            table[at] = (batch === 0 ? 0 : Number(table[at])) + value / batches
          }
        }
      }
    }
    for (const [i, { running_means, running_vars }] of norms.entries()) {
      running_means.set(tables[i]?.[0] ?? running_means.data)
      running_vars.set(tables[i]?.[1] ?? running_vars.data)
    }
    if (!wasTraining) model.eval()
  }
}
