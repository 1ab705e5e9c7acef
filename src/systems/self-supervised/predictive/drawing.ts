/** Pictures from a learner: samples in rounds, reconstructions. One compiled program each; chance follows from a seed. */
import { compile } from '../../../compile/compile.ts'
import type { ThreadOptions } from '../../../tasks/experiment.ts'
import { normalizePixels } from '../../../tasks/pictures/classifier.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { RandomState } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { PictureLearner } from './model.ts'

/** How many pictures are wanted, and how often those of an energy are refined. */
export interface DrawRequest {
  readonly count: number
  readonly rounds: number
  readonly seed: number
  /** The class of all pictures, by its number, of a learner that knows classes. Default: whatever comes. */
  readonly classNumber?: number
  readonly onRound?: (done: number, all: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Runs work with a learner in evaluation mode. */
async function inEvaluation<Result>(learner: PictureLearner, work: () => Promise<Result>): Promise<Result> {
  const { training } = learner
  learner.eval()
  try {
    return await work()
  } finally {
    learner.train(training)
  }
}

/** Makes the function that draws pictures [count, C, H, W] in about [-1, 1]; undefined for a learner that cannot. */
export function drawer(learner: PictureLearner, threads: ThreadOptions) {
  if (!learner.draw) return undefined
  const state = new RandomState(0)
  const begin = compile((like: Tensor) => learner.draw?.(like.shape[0] ?? 1, state) ?? like, threads)
  const refine = learner.refine && compile((x: Tensor) => learner.refine?.(x, state) ?? x, threads)
  const refineAs = learner.refine && compile((x: Tensor, of: Tensor) => learner.refine?.(x, state, of) ?? x, threads)
  return ({ count, rounds, seed, classNumber, onRound, signal }: DrawRequest): Promise<NDArray> =>
    inEvaluation(learner, async () => {
      state.reseed(seed)
      const classes: NDArray | undefined =
        classNumber === undefined
          ? undefined
          : { dtype: 'int32', shape: [count], data: new Int32Array(count).fill(classNumber) }
      let drawn = (await begin({ dtype: 'float32', shape: [count], data: new Float32Array(count) })).array
      for (let round = 0; refine && round < rounds; round++) {
        signal?.throwIfAborted()
        drawn = (await (classes ? refineAs?.(drawn, classes) : refine(drawn)))?.array ?? drawn
        onRound?.(round + 1, rounds)
      }
      return drawn
    })
}

/** Makes the function that shows what a learner sees of uint8 pictures and what it draws; undefined for one that cannot. */
export function reconstructor(learner: PictureLearner, threads: ThreadOptions) {
  if (!learner.reconstruct) return undefined
  const state = new RandomState(0)
  const run = compile((image: Tensor) => {
    const pictures = normalizePixels(image)
    const { seen, drawn } = learner.reconstruct?.(pictures, state) ?? { seen: pictures, drawn: pictures }
    return { seen, drawn }
  }, threads)
  return (image: NDArray, seed: number) =>
    inEvaluation(learner, async () => {
      state.reseed(seed)
      const { seen, drawn } = await run(image)
      return { seen: seen.array, drawn: drawn.array }
    })
}
