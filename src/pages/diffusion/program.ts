/** What the worker of diffusion's page computes: a network that learns to name the noise of points, a classifier of noisy points, and their way back. */
import { compile } from '../../compile/compile.ts'
import { Linear, Module } from '../../nn/index.ts'
import * as ops from '../../ops/index.ts'
import { Adam, cosineAnnealingLR } from '../../optim/index.ts'
import { classifierGuide, GaussianDiffusion, type Guide } from '../../systems/diffusion/gaussian-diffusion.ts'
import { trainingLosses } from '../../systems/diffusion/losses.ts'
import { timestepEmbedding } from '../../systems/diffusion/timestep-embedding.ts'
import { uniformTimes } from '../../systems/diffusion/training/time-history.ts'
import { type NDArray, type TypedArray, toNumbers } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import { sizeOf } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { Generator } from '../../util/random.ts'
import type { Host } from '../../web/serve.ts'
import { nearestOf, pointsOnArms, spreadOf } from './arms.ts'
import { classes, type Order, type Schedule, sizes } from './settings.ts'

export interface DiffusionPageSettings {
  readonly schedule: Schedule
  readonly seed: number
}

/** Points on their way back, and what they are worth at its end. */
export interface WayBack {
  /** Places [x, y, x, y, ...] after each step, the noise first. */
  readonly states: readonly Float32Array[]
  /** Where the network expects each of them to end, seen from the step before: none of the noise. */
  readonly expected: readonly Float32Array[]
  /** Data, to be drawn beside them. */
  readonly data: Float32Array
  /** The share that lies beside data of the class that was asked for; 1 if any will do. */
  readonly asAsked: number
  /** Their spread over that of the data of the class. */
  readonly spread: number
}

/** Two numbers and a time -> `out` numbers. */
class TimedNetwork extends Module {
  readonly first: Linear
  readonly second: Linear
  readonly third: Linear
  readonly last: Linear

  constructor(out: number) {
    super()
    const { width, time } = sizes
    this.first = new Linear(2 + time, width)
    this.second = new Linear(width + time, width)
    this.third = new Linear(width, width)
    this.last = new Linear(width, out)
  }

  /** x [B, 2], timesteps [B] -> [B, out]. */
  forward(x: Tensor, timesteps: Tensor): Tensor {
    const time = timestepEmbedding(timesteps, sizes.time)
    const h = ops.silu(this.first.forward(ops.concat([ops.mul(x, 2), time], 1)))
    const deeper = ops.silu(this.second.forward(ops.concat([h, time], 1)))
    return this.last.forward(ops.silu(this.third.forward(deeper)))
  }
}

const pairs = (data: Float32Array): NDArray => ({ dtype: 'float32', shape: [data.length / 2, 2], data })
const whole = (count: number, value: number): NDArray => ({
  dtype: 'int32',
  shape: [count],
  data: new Int32Array(count).fill(value),
})
const floats = (data: TypedArray): Float32Array => Float32Array.from(toNumbers(data))

/** Makes the networks. */
export async function diffusionProgram({ schedule, seed }: DiffusionPageSettings, { progress }: Host) {
  progress({ what: 'making the networks' })
  manualSeed(seed)
  const diffusion = new GaussianDiffusion({
    noise_schedule: schedule,
    diffusion_steps: sizes.times,
    rescale_timesteps: true,
  })
  const [denoiser, classifier] = [new TimedNetwork(2), new TimedNetwork(classes.length)]
  const lr = cosineAnnealingLR(sizes.lr, { tMax: sizes.steps })
  const optimizer = new Adam([...denoiser.parameters(), ...classifier.parameters()], { lr })
  const noiseOf = (x: Tensor, times: Tensor): Tensor => denoiser.forward(x, times)
  const classOf = (x: Tensor, times: Tensor): Tensor => classifier.forward(x, times)
  const learn = compile((points: Tensor, labels: Tensor) => {
    const { t } = uniformTimes(sizeOf(points.shape, 0), diffusion.steps)
    const noise = ops.randomNormal(points.shape)
    const loss = ops.mean(trainingLosses(diffusion, noiseOf, points, t, noise).loss)
    const noisy = diffusion.qSample(points, t, noise)
    const named = ops.crossEntropy(classOf(noisy, diffusion.modelTimesteps(t)), labels)
    optimizer.minimize(ops.add(loss, named)) // no weight is in both
    return loss
  })
  const guideTo = (labels: Tensor, scale: Tensor): Guide => {
    const guide = classifierGuide(classOf, ops.cast(labels, 'int64'), 1)
    return (x, times) => ops.mul(guide(x, times), scale)
  }
  const ancestral = compile((x: Tensor, t: Tensor, noise: Tensor, labels: Tensor, scale: Tensor) => {
    const guide = guideTo(labels, scale)
    return { ...diffusion.pSample(noiseOf, x, ops.cast(t, 'int64'), noise, { guide }) }
  })
  const ddim = compile((x: Tensor, t: Tensor, labels: Tensor, scale: Tensor) => {
    const guide = guideTo(labels, scale)
    return { ...diffusion.ddimSample(noiseOf, x, ops.cast(t, 'int64'), { guide }) }
  })
  const random = new Generator(seed)
  const data = pointsOnArms(sizes.data, new Generator(seed + 1))
  const dataOf = (label: number): number[] =>
    Array.from(data.points).filter((_, i) => label < 0 || data.labels[i >> 1] === label)
  let done = 0

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const { points, labels } = pointsOnArms(sizes.batch, random)
      const loss = await learn(pairs(points), { dtype: 'int32', shape: [sizes.batch], data: labels })
      done++
      return { loss: loss.item() }
    },
    requests: {
      /** Draws points, and keeps all of their way. */
      draw: async ({ label, scale, sampler, seed: of }: Order): Promise<WayBack> => {
        const { samples: count } = sizes
        const draws = new Generator(of)
        const labels = whole(count, Math.max(0, label))
        const strength: NDArray = { dtype: 'float32', shape: [1], data: Float32Array.of(label < 0 ? 0 : scale) }
        let x = draws.normal(2 * count)
        const [states, expected] = [[x], [] as Float32Array[]]
        for (let t = diffusion.steps - 1; t >= 0; t--) {
          const noise = pairs(draws.normal(2 * count))
          const { sample, predXstart } =
            sampler === 'ddim'
              ? await ddim(pairs(x), whole(count, t), labels, strength)
              : await ancestral(pairs(x), whole(count, t), noise, labels, strength)
          x = floats(sample.array.data)
          states.push(x)
          expected.push(floats(predXstart.array.data))
        }
        const near = nearestOf(x, data).filter((j) => label < 0 || data.labels[j] === label)
        return {
          states,
          expected,
          data: data.points,
          asAsked: near.length / count,
          spread: spreadOf(x) / spreadOf(dataOf(label)),
        }
      },
    },
    release: async () => {
      await Promise.all([learn.release(), ancestral.release(), ddim.release()])
    },
  }
}
