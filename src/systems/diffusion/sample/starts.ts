/** What pictures are made from instead of noise: a walk between two noises, a picture that is to be changed. */
import { compile } from '../../../compile/compile.ts'
import type { PictureFacts } from '../../../tasks/pictures/facts.ts'
import { elementCount, type NDArray, toNumbers } from '../../../tensor/dtype.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'
import type { ClassifierExperiment } from '../noisy-classifier.ts'
import { type EncodeRequest, type PictureSampler, startingNoise } from './sampler.ts'

/** Between a and b along the arc (Shoemake 1985): noise between two noises is as loud as they are. */
export function slerp(a: Float32Array, b: Float32Array, share: number): Float32Array {
  let [dot, squareA, squareB] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0]
    dot += x * y
    squareA += x * x
    squareB += y * y
  }
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / Math.sqrt(squareA * squareB))))
  const [ofA, ofB] =
    Math.sin(angle) < 1e-6
      ? [1 - share, share]
      : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)]
  return a.map((value, i) => ofA * value + ofB * (b[i] ?? 0))
}

/** Rows of `length` pictures, row r from noise 2 r to noise 2 r + 1 of the seed: [count, C, H, W]. */
export function noiseWalks(count: number, length: number, shape: readonly number[], seed: number): NDArray {
  const size = elementCount(shape)
  const data = new Float32Array(count * size)
  let row = -1
  let [from, to]: [Float32Array, Float32Array] = [new Float32Array(0), new Float32Array(0)]
  for (let i = 0; i < count; i++) {
    if (Math.floor(i / length) !== row) {
      row = Math.floor(i / length)
      ;[from, to] = [startingNoise(seed, 2 * row, size), startingNoise(seed, 2 * row + 1, size)]
    }
    data.set(slerp(from, to, (i % length) / (length - 1)), i * size)
  }
  return { dtype: 'float32', shape: [count, ...shape], data }
}

/** The most probable class of a picture [C, H, W] without noise. */
export async function classOf(picture: Float32Array, { model, facts }: ClassifierExperiment): Promise<number> {
  model.eval()
  const run = compile((x: Tensor, t: Tensor) => model.forward(x, t))
  const x = constant(picture, [1, facts.in_channels, ...facts.image_size], 'float32')
  const logits = toNumbers((await run(x, constant(Float32Array.of(0), [1], 'float32'))).array.data)
  await run.release()
  return logits.indexOf(Math.max(...logits))
}

/** The noise that DDIM would make a picture from, once for each of the pictures that it is drawn as. */
export async function noiseOfPicture(
  sampler: PictureSampler,
  picture: Float32Array,
  label: number,
  count: number,
  { image_size, in_channels }: PictureFacts,
  request: Pick<EncodeRequest, 'onStep' | 'signal'>,
): Promise<NDArray> {
  const shape = [in_channels, ...image_size]
  const pictures: NDArray = { dtype: 'float32', shape: [1, ...shape], data: picture }
  const { data } = await sampler.encode({ ...request, pictures, labels: [label] })
  const repeated = new Float32Array(count * picture.length)
  for (let i = 0; i < count; i++) repeated.set(data as Float32Array, i * picture.length)
  return { dtype: 'float32', shape: [count, ...shape], data: repeated }
}
