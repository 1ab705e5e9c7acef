/** Quality against kept memory, time and megabytes (Table 5 of the paper, in small): four ways to remember, at equal reach and at equal cost. */
import { z } from 'zod'
import type { Report, ScatterPlot } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { TenfoldError } from '../../../util/errors.ts'
import { meanOrZero } from '../../../util/vectors.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { measureApart } from '../../measurement.ts'
import {
  armSettings,
  armsTable,
  describeArms,
  type FinishedMemoryArm,
  type MemoryArm,
  qualities,
  qualityName,
  runArms,
  spread,
  type TrainMember,
} from './arms.ts'
import { type Changes, memberRecipes, memberResult } from './members.ts'

const config = z.strictObject({
  task: z
    .enum(memberRecipes)
    .default('portal')
    .describe(`what is read: ${memberRecipes.join(', ')}`),
  attn_lim: whole.default(512).describe('maximum span of all, at equal reach'),
  budget: whole.default(64).describe('span of the baselines at equal cost: what Expire-Span keeps on average'),
  losses: z
    .array(z.number().min(0))
    .min(1)
    .default([2e-5, 1e-4, 3e-4])
    .describe("weights of Expire-Span's span loss: each keeps another amount"),
  compress_rate: whole.default(4).describe('memories that become one, in the compressive transformer'),
  arms: armSettings({ steps: 1000, learning_rates: [3e-3] }).prefault({}),
})
type MemorySettings = z.infer<typeof config>

/** Expire-Span with each span loss, then the baselines at equal reach and at equal cost. */
function memoryArms({ task, attn_lim, budget, losses, compress_rate }: MemorySettings): MemoryArm[] {
  const arm = (name: string, title: string, changes: Changes): MemoryArm => ({ name, title, recipe: task, changes })
  const baselines = (span: number): MemoryArm[] => [
    arm(`fixed-${span}`, `fixed span ${span}`, { 'model.memory': 'fixed', 'model.attn_lim': span }),
    arm(`adaptive-${span}`, `Adaptive-Span, at most ${span}`, {
      'model.memory': 'adaptive',
      'model.attn_lim': span,
      'model.adapt_span_init': 0.5,
    }),
    // One half of the reach is kept as it is, the other half as averages.
    arm(`compressive-${span}`, `Compressive, ${span / 2} and ${span / 2} compressed`, {
      'model.memory': 'compressive',
      'model.attn_lim': span / 2,
      'model.compress_size': span / 2,
      'model.compress_rate': compress_rate,
    }),
  ]
  return [
    ...losses.map((loss) =>
      arm(`expire-${loss}`, `Expire-Span, at most ${attn_lim}, span loss ${loss}`, {
        'model.attn_lim': attn_lim,
        'model.expire_span_loss': loss,
      }),
    ),
    ...baselines(attn_lim),
    ...(budget < attn_lim ? baselines(budget) : []),
  ]
}

/** The page. */
function memoryReport(arms: readonly FinishedMemoryArm[], settings: MemorySettings): Report {
  const { task } = settings
  const families = ['expire', 'fixed', 'adaptive', 'compressive'] as const
  const scatter = (title: string, label: string, x: (of: FinishedMemoryArm) => number): ScatterPlot => ({
    kind: 'scatter',
    title,
    x: { label, log: true },
    y: { label: qualityName(task), ...(task !== 'characters' && { percent: true }) },
    series: families.map((family) => ({
      name: family,
      connected: true,
      points: arms
        .filter(({ arm }) => arm.name.startsWith(`${family}-`))
        .map((of) => ({ x: x(of), y: meanOrZero(of.results.map(({ score }) => score.quality)) }))
        .sort((a, b) => a.x - b.x),
    })),
  })
  const mean =
    (value: (result: FinishedMemoryArm['results'][number]) => number | undefined) => (of: FinishedMemoryArm) =>
      meanOrZero(of.results.map((result) => value(result) ?? Number.NaN))
  return {
    title: 'Expire-Span: what memory is worth',
    subtitle: `${task}; at equal reach (${settings.attn_lim}) and at equal cost (${settings.budget})`,
    summary: arms.map((of) => ({
      label: of.arm.title,
      value: qualities(of),
      note: `${spread(of.results.map(({ score }) => score.memories))} memories a layer`,
    })),
    sections: [
      {
        title: `${qualityName(task)} against cost`,
        intro: 'To the lower left is better. Each training ran in a process of its own.',
        figures: [
          scatter(
            'Memories',
            'memories of a layer',
            mean(({ score }) => score.memories),
          ),
          scatter(
            'Time',
            'milliseconds a step',
            mean(({ milliseconds }) => milliseconds),
          ),
          scatter(
            'Resident memory',
            'MiB',
            mean(({ peakMebibytes }) => peakMebibytes),
          ),
        ],
      },
      { title: 'Numbers', figures: [armsTable(arms)] },
    ],
    footer: describeArms(settings.arms),
  }
}

/** Runs the study; `train`: where a training runs. */
export async function runMemory(settings: MemorySettings, context: JobContext, train: TrainMember): Promise<Report> {
  return memoryReport(await runArms(memoryArms(settings), settings.arms, context, train), settings)
}

export const memory = defineJob({
  name: 'memory',
  summary: 'quality against kept memory, time and megabytes: Expire-Span, fixed span, Adaptive-Span, Compressive',
  config,
  run: (settings, context) =>
    runMemory(settings, context, async (task) => {
      const result = await measureApart(import.meta.url, 'memory-worker', task, memberResult, context.signal)
      if (!result)
        throw new TenfoldError('a training did not finish: its process was ended (out of memory?)', {
          hint: 'a smaller attn_lim, or fewer rows: see npx tenfold list expire-span/memory',
        })
      return result
    }),
})
