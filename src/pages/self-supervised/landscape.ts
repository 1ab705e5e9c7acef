/** What the worker computes of energies of the plane: a network trained by one of the losses, its contours, and the way down from a place. */
import { compile } from '../../compile/compile.ts'
import { Adam, cosineAnnealingLR } from '../../optim/index.ts'
import type { Picture } from '../../report/figures.ts'
import { contourPicture } from '../../systems/self-supervised/energies/contours.ts'
import { inferByGradient } from '../../systems/self-supervised/energies/inference.ts'
import { gridPoints, type PlaneCurve, pointsOnCurve } from '../../systems/self-supervised/energies/plane.ts'
import { lossArms } from '../../systems/self-supervised/jobs/plane-learners.ts'
import type { NDArray } from '../../tensor/dtype.ts'
import { manualSeed } from '../../tensor/random-state.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { UsageError } from '../../util/errors.ts'
import { Generator } from '../../util/random.ts'
import { meanOf } from '../../util/vectors.ts'
import type { Host } from '../../web/serve.ts'
import { type LossName, landscape as sizes } from './settings.ts'

export interface LandscapeSettings {
  readonly kind: 'landscape'
  readonly loss: LossName
  readonly curve: PlaneCurve
  readonly seed: number
}

/** Energies of the plane. */
export interface Landscape {
  readonly picture: Picture
  /** Mean energies of points of the data and of the whole square. */
  readonly onData: number
  readonly anywhere: number
}

/** The way of a point to lower energies. */
export interface Way {
  /** Places x, y from -1 to 1, the given one first. */
  readonly places: readonly (readonly [number, number])[]
  /** Energies at its ends. */
  readonly from: number
  readonly to: number
}

/** Steps of a way: parts of so many steps each, of which the places are shown. */
const way = { parts: 24, steps: 3, lr: 0.003 } as const

const rows = (values: ArrayLike<number>): NDArray => ({
  dtype: 'float32',
  shape: [values.length / 2, 2],
  data: Float32Array.from(values),
})

/** Makes the energy. */
export async function landscapeProgram({ loss, curve, seed }: LandscapeSettings, { progress }: Host) {
  progress({ what: 'making the network' })
  const arm = lossArms.find(({ name }) => name === loss)
  if (!arm) throw new UsageError(`the loss must be one of ${lossArms.map(({ name }) => name)}, found "${loss}"`)
  manualSeed(seed)
  const learner = arm.make()
  const lr = cosineAnnealingLR(sizes.lr, { tMax: sizes.steps })
  const optimizer = new Adam(learner.module.parameters(), { lr })
  const learn = compile((points: Tensor) => {
    const value = learner.loss(points)
    optimizer.minimize(value, { clipNorm: 10 })
    return value
  })
  const score = compile((points: Tensor) => learner.energy(points))
  const descend = compile((point: Tensor) => inferByGradient(learner.energy, point, way))
  const points = pointsOnCurve(curve, sizes.points, seed)
  const drawn = points.slice(0, 2 * sizes.drawn)
  const random = new Generator(seed)
  let done = 0

  return {
    step: async () => {
      if (done === sizes.steps) return undefined
      const chosen = random.integers(0, sizes.points, sizes.batch)
      const batch = Float32Array.from(
        { length: 2 * sizes.batch },
        (_, k) => points[2 * (chosen[k >> 1] ?? 0) + (k & 1)] ?? 0,
      )
      const value = await learn(rows(batch))
      done++
      return { loss: value.item() }
    },
    requests: {
      /** What the loss is, and what pushes up. */
      about: () => ({ title: arm.title, remedy: arm.remedy }),
      /** The energies as they are now. */
      see: async (): Promise<Landscape> => {
        const energies = await (await score(rows(gridPoints(sizes.side)))).numbers()
        const picture = contourPicture(energies, sizes.side, { size: sizes.size, points: drawn, flat: 0.02 })
        return { picture, onData: meanOf(await (await score(rows(drawn))).numbers()), anywhere: meanOf(energies) }
      },
      /** Follows the slope down from a place. */
      roll: async (start: readonly [number, number]): Promise<Way> => {
        const places: (readonly [number, number])[] = [start]
        for (let i = 0; i < way.parts; i++) {
          const [x = 0, y = 0] = await (await descend(rows(places.at(-1) ?? start))).numbers()
          places.push([x, y])
        }
        const [from = 0, to = 0] = await (await score(rows([...start, ...(places.at(-1) ?? start)]))).numbers()
        return { places, from, to }
      },
    },
    release: async () => {
      await Promise.all([learn.release(), score.release(), descend.release()])
    },
  }
}
