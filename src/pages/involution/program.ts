/** What the worker of Involution's page computes: one layer that learns to look where a pixel's colour says, and its kernel at any pixel. */
import { compile } from '../../compile/compile.ts'
import { Involution } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { AdamW, cosineScheduleWithWarmup } from '../../optim/index.ts'
import { cuedPicture, cuedPictures, Filter } from '../../systems/involution/cued-filter.ts'
import { kernelsAt, sumMaps } from '../../systems/involution/explain.ts'
import { type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { deriveSeed } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { task, training } from './sizes.ts'

export interface InvolutionPageSettings {
  readonly layer: 'involution' | 'convolution'
  readonly seed: number
}

/** A picture by its signal [side, side] and the colours of its squares, and the pixel that is picked. */
export interface Question {
  readonly signal: Float32Array
  readonly colors: readonly number[]
  readonly pixel: number
}

/** What the layer makes of a picture. */
export interface Look {
  /** The kernel at the picked pixel, K x K: of a convolution the same at all. */
  readonly kernel: readonly number[]
  /** The sum of the kernel at each pixel; of a convolution the same number everywhere. */
  readonly sums: readonly number[]
  readonly answer: readonly number[]
  readonly wanted: readonly number[]
}

const area = task.side ** 2

/** Makes the layer. */
export async function involutionProgram({ layer, seed }: InvolutionPageSettings, { progress }: Host) {
  progress({ what: 'making the layer' })
  manualSeed(seed)
  const model = new Filter(layer, task)
  const lr = cosineScheduleWithWarmup(training.lr, { numWarmupSteps: 0, numTrainingSteps: training.steps })
  const optimizer = new AdamW(model.parameters(), { lr, weightDecay: 0 })
  const learn = compile((x: Tensor, y: Tensor) => {
    const loss = ops.mseLoss(model.forward(x), y)
    optimizer.minimize(loss)
    return loss
  })
  const score = compile((x: Tensor, y: Tensor) => ops.div(ops.mseLoss(model.forward(x), y), ops.mean(ops.mul(y, y))))
  const see = compile((x: Tensor) => ({
    answer: model.forward(x),
    ...(model.layer instanceof Involution && { kernels: model.layer.kernels(x) }),
  }))
  const test = cuedPictures(task, 32, deriveSeed(2 ** 20, 'test'))
  /** Runs with the statistics of the batch norm that were learned. */
  const evaluated = async <T>(work: () => Promise<T>): Promise<T> => {
    model.eval()
    try {
      return await work()
    } finally {
      model.train()
    }
  }

  /** A convolution's weights from the signal to the answer, K x K. */
  const convolutionKernel = (): number[] => {
    if (!('weight' in model.layer)) return []
    const { data } = model.layer.weight
    const places = task.kernel_size ** 2
    const start = (task.cues * task.channels + task.cues) * places
    return toNumbers(data).slice(start, start + places)
  }
  let done = 0

  return {
    step: async () => {
      if (done === training.steps) return undefined
      const { x, y } = cuedPictures(task, training.batch, deriveSeed(seed, 'specificity', done))
      const loss = await learn(x, y)
      done++
      return { loss: loss.item() }
    },
    requests: {
      /** The share of the variance of what is asked for that the answers explain, on other pictures. */
      explained: async (): Promise<number> => 1 - (await evaluated(() => score(test.x, test.y))).item(),
      weights: (): number => model.parameters().reduce((sum, { size }) => sum + size, 0),
      look: async ({ signal, colors, pixel }: Question): Promise<Look> => {
        const { x, y } = cuedPicture(task, signal, colors)
        const input: NDArray = { dtype: 'float32', shape: [1, task.channels, task.side, task.side], data: x }
        const { answer, kernels } = await evaluated(() => see(input))
        const at = [Math.floor(pixel / task.side), pixel % task.side] as const
        const kernel = kernels ? Array.from(kernelsAt(kernels.array, 0, at)[0]?.values ?? []) : convolutionKernel()
        const sum = kernel.reduce((total, weight) => total + weight, 0)
        return {
          kernel,
          sums: kernels ? Array.from(sumMaps(kernels.array, 0)[0]?.values ?? []) : Array<number>(area).fill(sum),
          answer: toNumbers(answer.array.data),
          wanted: Array.from(y),
        }
      },
    },
    release: async () => {
      await Promise.all([learn.release(), score.release(), see.release()])
    },
  }
}
