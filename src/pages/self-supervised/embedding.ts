/** What the worker computes of the joint embedding: digits without their labels, by VICReg's loss with terms that can be switched as it trains. */
import { compile } from '../../compile/compile.ts'
import { DataLoader } from '../../data/loader.ts'
import * as ops from '../../ops/index.ts'
import { Adam } from '../../optim/index.ts'
import { MLPEncoder } from '../../systems/self-supervised/encoder.ts'
import { VICReg } from '../../systems/self-supervised/methods/vicreg.ts'
import { randomView, viewFamilies } from '../../systems/self-supervised/views.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Host } from '../../web/serve.ts'
import { endlessBatches } from '../data/batches.ts'
import { readDigits } from '../data/digit-classifier.ts'
import { digitDataset, digitImages, side } from '../data/read-digits.ts'
import { embedding as sizes, type Terms, weightsOf } from './settings.ts'

export interface EmbeddingSettings {
  readonly kind: 'embedding'
  readonly on: Terms
  readonly seed: number
}

/** Where unseen digits are in the embedding. */
export interface Cloud {
  /** x and y of each, one after the other. */
  readonly places: readonly number[]
  readonly labels: readonly number[]
  /** The share whose nearest neighbour is the same digit. */
  readonly nearest: number
}

/** Weights of the loss's terms are given with each batch, so that the model's own are 1. */
const each = { sim_coeff: 1, std_coeff: 1, cov_coeff: 1 }

/** The share of places whose nearest other one has the same label; of several equally near ones, of theirs. */
export function nearestShare(places: readonly number[], labels: readonly number[]): number {
  const shares: number[] = labels.map((label, i) => {
    let [best, same, count] = [Number.POSITIVE_INFINITY, 0, 0]
    for (const [j, other] of labels.entries()) {
      if (i === j) continue
      const [dx, dy] = [0, 1].map((axis) => (places[2 * i + axis] ?? 0) - (places[2 * j + axis] ?? 0)) as [
        number,
        number,
      ]
      const distance = dx * dx + dy * dy
      if (distance < best) [best, same, count] = [distance, 0, 0]
      if (distance !== best) continue
      count++
      if (other === label) same++
    }
    return count > 0 ? same / count : 0
  })
  return shares.reduce((sum, share) => sum + share, 0) / shares.length
}

/** Makes the encoder and its embedding of two numbers. */
export async function embeddingProgram({ on, seed }: EmbeddingSettings, host: Host) {
  const { train, test } = await readDigits(host)
  host.progress({ what: 'making the network' })
  manualSeed(seed)
  const { hidden } = sizes
  const model = new VICReg(new MLPEncoder(side * side, [hidden]), { ...each, mlp: [hidden, 2] })
  const optimizer = new Adam(model.parameters(), { lr: sizes.lr })
  const inked = (image: Tensor): Tensor => ops.div(ops.cast(image, 'float32'), 255)
  const [first, second] = viewFamilies.digits
  const learn = compile((image: Tensor, weights: Tensor) => {
    const pictures = inked(image)
    const views = [first, second].map((family) => randomView(pictures, { ...family, blur: 0 }))
    const { repr_loss, std_loss, cov_loss, embeddings } = model.forward(views)
    const weighted = [repr_loss, std_loss, cov_loss].map((term, i) => ops.mul(term, ops.select(weights, i, 0)))
    optimizer.minimize(ops.addAll(weighted), { clipNorm: 10 })
    const [x, y] = embeddings
    const distance = ops.mean(ops.sqrt(ops.sum(ops.square(ops.sub(x, y)), 1)))
    return { spread: ops.mean(ops.sqrt(ops.variance(x, 0))), distance }
  })
  const see = compile((image: Tensor) => model.embed(inked(image)))
  const source = new DataLoader(digitDataset(train), { batchSize: sizes.batch, shuffle: true, seed, dropLast: true })
  const batches = endlessBatches(source)
  const shown = digitImages(test.images.slice(0, sizes.shown * side * side))
  const labels = Array.from(test.labels.slice(0, sizes.shown))
  let weights = weightsOf(on)
  let done = 0

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const { value } = await batches.next()
      model.train()
      const given: NDArray = { dtype: 'float32', shape: [weights.length], data: Float32Array.from(weights) }
      const { spread, distance } = await learn(value.image, given)
      done++
      return { spread: spread.item(), distance: distance.item() }
    },
    requests: {
      /** Switches terms of the loss, from the next step on, and gives it as many steps as from the start. */
      switch: (wanted: Terms): void => {
        weights = weightsOf(wanted)
        done = 0
      },
      /** Where unseen digits are. */
      cloud: async (): Promise<Cloud> => {
        model.eval()
        const places = toNumbers((await see(shown)).array.data)
        return { places, labels, nearest: nearestShare(places, labels) }
      },
    },
    release: async () => {
      await Promise.all([learn.release(), see.release()])
    },
  }
}
