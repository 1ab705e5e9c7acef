/** Energies of the plane, whole: which losses dig a valley along the data, and which leave or make the energy flat. */
import { z } from 'zod'
import { compile } from '../../../compile/compile.ts'
import { Adam, cosineAnnealingLR } from '../../../optim/index.ts'
import type { Picture, Report, Section, Table } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { Generator } from '../../../util/random.ts'
import { meanOf } from '../../../util/vectors.ts'
import { percent } from '../../../util/words.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { eachOf } from '../../parts.ts'
import { contourPicture } from '../energies/contours.ts'
import { gridPoints, planeCurves, pointsOnCurve } from '../energies/plane.ts'
import { latentArms, lossArms, type PlaneArm } from './plane-learners.ts'

const config = z.strictObject({
  curve: z
    .enum(planeCurves)
    .default('moons')
    .describe(`where the points lie: ${planeCurves.join(', ')}`),
  points: whole.default(2000).describe('points to learn from'),
  steps: whole.default(2000).describe('steps of a training'),
  batch_size: whole.default(128).describe('points in a step'),
  lr: z.number().positive().default(3e-3).describe('learning rate of Adam, which falls along half a cosine'),
  side: whole.min(4).default(64).describe('cells of the grid along a side'),
})
type LandscapeSettings = z.infer<typeof config>

const landscape = z.strictObject({
  /** Energies of the grid, row by row from the top. */
  energies: z.array(z.number()),
  /** Energies of held-out points of the curve. */
  data: z.array(z.number()),
})
type Landscape = z.infer<typeof landscape>

/** Trains an arm and takes its energies. */
async function trainArm(
  arm: PlaneArm,
  { curve, points, steps, batch_size, lr, side }: LandscapeSettings,
  seed: number,
  threads: { threads?: number },
): Promise<Landscape> {
  manualSeed(seed)
  const learner = arm.make()
  const optimizer = new Adam(learner.module.parameters(), { lr: cosineAnnealingLR(lr, { tMax: steps }) })
  const step = compile((x: Tensor) => void optimizer.minimize(learner.loss(x), { clipNorm: 10 }), threads)
  const all = pointsOnCurve(curve, points, seed)
  const random = new Generator(seed)
  const rows = (values: Float32Array): NDArray => ({ dtype: 'float32', shape: [values.length / 2, 2], data: values })
  for (let i = 0; i < steps; i++) {
    const places = random.integers(0, points, batch_size)
    const batch = Float32Array.from(
      { length: 2 * batch_size },
      (_, k) => all[2 * Number(places[k >> 1]) + (k & 1)] ?? 0,
    )
    await step(rows(batch))
  }
  await step.release()
  learner.module.eval()
  const score = compile((x: Tensor) => learner.energy(x), threads)
  const energies = await (await score(rows(gridPoints(side)))).numbers()
  const data = await (await score(rows(pointsOnCurve(curve, 500, seed + 1)))).numbers()
  await score.release()
  return { energies, data }
}

/** What a landscape is worth. */
export interface LandscapeNumbers {
  /** How often a place off the curve has a higher energy than a point of the data: 0.5 is chance, 1 a perfect valley. */
  readonly above: number
  readonly onData: number
  readonly offData: number
}

/** The cells of the grid that are farther from all points of the curve than so much. */
const farFrom = 0.15

/** Energies that differ by less than this count as flat. */
const flatGap = 0.02

/** Compares energies of held-out data with those of cells away from the curve. */
export function landscapeNumbers({ energies, data }: Landscape, side: number, points: Float32Array): LandscapeNumbers {
  const cells = gridPoints(side)
  const isFar = (cell: number): boolean => {
    for (let p = 0; p + 1 < points.length; p += 2) {
      const [dx, dy] = [(points[p] ?? 0) - (cells[2 * cell] ?? 0), (points[p + 1] ?? 0) - (cells[2 * cell + 1] ?? 0)]
      if (dx * dx + dy * dy < farFrom ** 2) return false
    }
    return true
  }
  const off = energies.filter((_, cell) => isFar(cell)).sort((a, b) => a - b)
  /** Values of `off` below x, and those equal to it, which count half. */
  const rank = (x: number): number => {
    const below = off.filter((value) => value < x).length
    const equal = off.filter((value) => value === x).length
    return below + equal / 2
  }
  return {
    above: 1 - meanOf(data.map(rank)) / off.length,
    onData: meanOf(data),
    offData: meanOf(off),
  }
}

interface Finished extends LandscapeNumbers {
  readonly arm: PlaneArm
  readonly picture: Picture
}

function table(finished: readonly Finished[]): Table {
  return {
    kind: 'table',
    title: 'Energies on the curve and away from it',
    caption: `above: how often a place farther than ${farFrom} from the curve has a higher energy than a held-out point; 50 % is chance.`,
    columns: ['trained by', 'what pushes up', 'mean energy on the curve', 'away from it', 'above'],
    rows: finished.map(({ arm, onData, offData, above }) => [
      arm.title,
      arm.remedy ?? 'nothing',
      onData.toPrecision(3),
      offData.toPrecision(3),
      percent(above),
    ]),
  }
}

function section(title: string, intro: string, finished: readonly Finished[]): Section {
  const figures = [
    { kind: 'pictures' as const, title: 'Contours', pictures: finished.map(({ picture }) => picture), size: 168 },
  ]
  return { title, intro, figures: [...figures, table(finished)] }
}

async function run(settings: LandscapeSettings, context: JobContext): Promise<Report> {
  const { curve, side } = settings
  const arms = [...lossArms, ...latentArms]
  const points = pointsOnCurve(curve, 500, context.seed + 1)
  let done = 0
  const finished = await eachOf(context, arms, async (arm): Promise<Finished> => {
    context.signal?.throwIfAborted()
    const { part, wasThere } = await context.keep(arm.name, { ...settings, seed: context.seed }, landscape, () =>
      trainArm(arm, settings, context.seed, threadOptions(context)),
    )
    const numbers = landscapeNumbers(part, side, points)
    const picture = contourPicture(part.energies, side, {
      points: points.subarray(0, 400),
      caption: arm.name,
      flat: flatGap,
    })
    const told = `${(100 * numbers.above).toFixed(1).padStart(5)} % above`
    context.progress(`${++done}/${arms.length}  ${arm.name.padEnd(20)} ${told}${wasThere ? '  kept' : ''}`, {
      part: arm.name,
      above: numbers.above,
      kept: wasThere,
    })
    return { arm, picture, ...numbers }
  })
  const isLoss = ({ arm }: Finished): boolean => lossArms.some(({ name }) => name === arm.name)
  const [losses, latents] = [finished.filter(isLoss), finished.filter((each) => !isLoss(each))]
  const isFlat = ({ onData, offData }: LandscapeNumbers): boolean => offData - onData < flatGap
  const flat = finished.filter(isFlat).map(({ arm }) => arm.name)
  const valley = finished.filter((each) => !isFlat(each) && each.above > 0.9).map(({ arm }) => arm.name)
  return {
    title: 'self-supervised / landscape',
    subtitle: 'Energies of the plane: low on the data, and high elsewhere only where something pushes them up',
    summary: [],
    sections: [
      {
        title: 'What was found',
        figures: [
          {
            kind: 'text',
            title: 'In words',
            paragraphs: [
              `Flat: away from the data less than ${flatGap} higher: ${flat.join(', ') || 'none'}.`,
              `A valley along the data, higher away from it in more than 90 % of comparisons: ${valley.join(', ') || 'none'}.`,
            ],
          },
        ],
      },
      section(
        'Losses of one energy network',
        'Dark is low. Orange: held-out points. One colour: the energy is flat.',
        losses,
      ),
      section('Codes and latent variables', 'The energy is what is left of the error at the best code.', latents),
    ],
    footer: `${settings.points} points of "${curve}", ${settings.steps} steps of ${settings.batch_size}, Adam at ${settings.lr}, not tuned; one seed. Written by tenfold.`,
  }
}

export const landscapeJob = defineJob({
  name: 'landscape',
  summary: 'energies of the plane as contour plots: which losses dig a valley along the data and which go flat',
  config,
  run,
})
