/** The quadratic bottleneck (paper, section 3): time and memory against the number of inputs and against depth, beside self-attention on the inputs. */
import { z } from 'zod'
import { whole } from '../../../train/settings.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { measureApart } from '../../measurement.ts'
import { type CostResult, type CostTask, costResult } from './cost-measurement.ts'
import { costReport } from './cost-report.ts'

const passes = ['forward', 'step'] as const

const config = z.strictObject({
  sides: z
    .array(whole)
    .default([16, 32, 64, 128, 224])
    .describe('heights and widths of the pictures; the inputs are their pixels'),
  depths: z
    .array(whole)
    .default([2, 8, 16, 32])
    .describe('self attentions, at the first of depth_sides and the others'),
  depth_sides: z.array(whole).default([32, 64]).describe('sides of the pictures at which depth is varied'),
  bands: whole.default(64).describe('Fourier bands: a pixel has 3 + 2 (2 K + 1) channels'),
  width: whole.default(128).describe('of the latents, and of the transformer'),
  heads: whole.default(4).describe('of each self attention'),
  latents: whole.default(128).describe('vectors that read the pixels'),
  cross_attentions: whole.default(2).describe('from the latents to the pixels'),
  self_attentions: whole.default(4).describe('of the latents, or of the transformer on the pixels'),
  calls: whole.default(2).describe('measured calls, at least; the fastest counts'),
  limit_seconds: z
    .number()
    .positive()
    .default(60)
    .describe('what would take longer, by what was measured before, is left out'),
  large: z
    .strictObject({
      side: whole.default(224).describe('of its pictures'),
      latents: whole.default(512).describe('vectors that read the pixels'),
      width: whole.default(512).describe('of the latents'),
      heads: whole.default(8).describe('of each self attention'),
      cross_attentions: z.array(whole).default([1, 2, 4, 8]).describe('cross attentions, one measurement each'),
      self_attentions: whole.default(6).describe('after each cross attention'),
      unshared: z.array(whole).default([2, 8]).describe('of these, without shared weights'),
    })
    .prefault({})
    .describe('training steps of a model of the size of the paper'),
})
export type CostSettings = z.infer<typeof config>

/** A measurement with its result; without one it did not come to its end, or was left out. */
export interface Measured {
  readonly series: 'inputs' | 'depth' | 'large'
  readonly task: CostTask
  readonly result: CostResult | undefined
  /** Why there is no result. */
  readonly missing?: string
}

/** A result that may not be there, as it is kept. */
const keptResult = z.object({ result: costResult.optional() })

/** Every measurement that the settings ask for, smaller ones before larger ones of the same kind. */
export function costTasks(settings: CostSettings, threads?: number): Pick<Measured, 'series' | 'task'>[] {
  const { sides, depths, depth_sides, bands, width, heads, latents, cross_attentions, self_attentions, calls, large } =
    settings
  const base = {
    bands,
    width,
    heads,
    latents,
    cross: cross_attentions,
    self: self_attentions,
    share: true,
    recompute: false,
    classes: 10,
    calls,
    ...(threads !== undefined && { threads }),
  }
  const models = ['perceiver', 'transformer'] as const
  const inputs = models.flatMap((model) =>
    passes.flatMap((pass) =>
      sides.map((side) => ({ series: 'inputs' as const, task: { ...base, model, side, pass } })),
    ),
  )
  const depth = models.flatMap((model) =>
    depth_sides.flatMap((side) =>
      depths.map((self) => ({ series: 'depth' as const, task: { ...base, model, side, self, pass: 'step' as const } })),
    ),
  )
  const big = [true, false].flatMap((share) =>
    (share ? large.cross_attentions : large.unshared).map((cross) => ({
      series: 'large' as const,
      task: {
        ...base,
        model: 'perceiver' as const,
        pass: 'step' as const,
        side: large.side,
        latents: large.latents,
        width: large.width,
        heads: large.heads,
        cross,
        self: cross * large.self_attentions,
        share,
        recompute: true,
        classes: 1000,
        calls: 1,
      },
    })),
  )
  return [...inputs, ...depth, ...big]
}

/** How long a task takes, in seconds, by the measurement before it: products grow with the square of the inputs of a transformer. */
function expectedSeconds({ task, result }: Measured, next: CostTask): number {
  if (!result) return Number.POSITIVE_INFINITY
  const inputs = (next.side / task.side) ** (next.model === 'transformer' ? 4 : 2)
  return (result.milliseconds / 1000) * inputs * (next.self / task.self)
}

const nameOf = ({ model, side, pass, cross, self, share }: CostTask): string =>
  `${model}-${side}-${pass}-${cross}x${self}${share ? '' : '-unshared'}`

/** Runs the tasks, each in a process of its own, except those that would take too long. */
export async function measureAll(
  tasks: readonly Pick<Measured, 'series' | 'task'>[],
  limitSeconds: number,
  { keep, progress, signal }: Pick<JobContext, 'keep' | 'progress' | 'signal'>,
  measure: (task: CostTask) => Promise<CostResult | undefined>,
): Promise<Measured[]> {
  const all: Measured[] = []
  for (const { series, task } of tasks) {
    signal?.throwIfAborted()
    const before = all.findLast(
      (other) =>
        other.series === series &&
        series !== 'large' &&
        other.task.model === task.model &&
        other.task.pass === task.pass &&
        (series === 'inputs' || other.task.side === task.side),
    )
    const seconds = before ? expectedSeconds(before, task) : 0
    const name = nameOf(task)
    if (seconds > limitSeconds) {
      const missing = Number.isFinite(seconds)
        ? `left out: about ${seconds.toFixed(0)} s a call`
        : 'left out, like the smaller one'
      all.push({ series, task, result: undefined, missing })
      progress(`${name.padEnd(34)} ${missing}`, { task, missing })
      continue
    }
    const { part } = await keep(`measurements/${series}-${name}`, task, keptResult, async () => {
      const result = await measure(task)
      return result ? { result } : {}
    })
    const { result } = part
    const missing = 'did not finish (out of memory?)'
    all.push(result ? { series, task, result } : { series, task, result, missing })
    const told = result
      ? `${result.milliseconds.toFixed(1).padStart(10)} ms ${result.peakMebibytes.toFixed(0).padStart(7)} MiB`
      : missing
    progress(`${name.padEnd(34)} ${told}`, { task, ...result })
  }
  return all
}

export const cost = defineJob({
  name: 'cost',
  summary:
    'time and memory against the number of inputs (to 50,176) and against depth, beside self-attention on the inputs',
  config,
  run: async (settings, context) => {
    const measured = await measureAll(costTasks(settings, context.threads), settings.limit_seconds, context, (task) =>
      measureApart(import.meta.url, 'cost-worker', task, costResult, context.signal),
    )
    return costReport(measured, settings)
  },
})
