/** What is compared of generated pictures and real ones: without a network, since a mini BigGAN is trained alone. */
import type { Dataset } from '../../../data/dataset.ts'
import { type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import type { Metrics } from '../../../train/loop.ts'
import { featureStatistics, frechetDistance } from '../../../train/sample-metrics.ts'
import { Generator } from '../../../util/random.ts'
import type { ClassFields } from './classes.ts'
import type { ClassSampler } from './samples.ts'

/** Pictures that an evaluation compares. */
const comparedPictures = 480

/** `frechet` and `spread` of pictures at truncation 1 against as many drawings of the same classes; always the same drawings and noise. */
export async function compareWithDrawings(sample: ClassSampler, test: Dataset<ClassFields>): Promise<Metrics> {
  const chosen = new Generator(0).permutation(test.length).subarray(0, comparedPictures)
  const { image, label } = await test.batch(chosen, { epoch: 0, seed: 0 })
  const made = await sample(toNumbers(label.data), 1, 0)
  const real: NDArray = {
    dtype: 'float32',
    shape: image.shape,
    data: Float32Array.from(image.data as Uint8Array, (value) => value / 127.5 - 1),
  }
  const [a, b] = [real, made].map((pictures) => featureStatistics(shrunk(pictures)))
  return {
    frechet: a && b ? frechetDistance(a, b) : Number.NaN,
    spread: deviation(made) / deviation(real),
  }
}

/** Means of 4 x 4 pixels as features: [N, 3, S, S] -> [N, 3 S S / 16]. */
function shrunk({ shape, data }: NDArray): NDArray {
  const [count = 0, channels = 3, side = 0] = shape
  const small = side / 4
  const features = new Float32Array(count * channels * small * small)
  const values = data as Float32Array
  for (let plane = 0; plane < count * channels; plane++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const at = (plane * small + Math.floor(y / 4)) * small + Math.floor(x / 4)
        features[at] = (features[at] ?? 0) + (values[(plane * side + y) * side + x] ?? 0) / 16
      }
    }
  }
  return { dtype: 'float32', shape: [count, channels * small * small], data: features }
}

/** Mean over the numbers of a picture of their deviation between pictures. */
function deviation({ shape, data }: NDArray): number {
  const [count = 0, ...rest] = shape
  const size = rest.reduce((product, n) => product * n, 1)
  const values = toNumbers(data)
  let total = 0
  for (let i = 0; i < size; i++) {
    let [sum, squares] = [0, 0]
    for (let n = 0; n < count; n++) {
      const value = values[n * size + i] ?? 0
      sum += value
      squares += value * value
    }
    total += Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))
  }
  return total / size
}
