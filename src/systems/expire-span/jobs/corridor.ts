/** Corridors of growing length (section 5.2 of the paper): one memory is enough, however long the corridor is. */
import { z } from 'zod'
import type { LinePlot, Report, Table } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { meanOrZero } from '../../../util/vectors.ts'
import { defineJob } from '../../define.ts'
import {
  armSettings,
  armsTable,
  describeArms,
  type FinishedMemoryArm,
  type MemoryArm,
  runArms,
  spread,
} from './arms.ts'
import type { Changes, ScoreResult } from './members.ts'

const config = z.strictObject({
  train_length: z.number().int().min(3).default(100).describe('steps of the corridors that are trained on, at most'),
  lengths: z
    .array(whole)
    .min(1)
    .default([10, 20, 40, 80, 160, 240])
    .describe('lengths at which the trained models are tried: all corridors of a text are so long'),
  attn_lim: whole.default(256).describe('maximum span of Expire-Span and of the long fixed span'),
  short_spans: z
    .array(whole)
    .default([32])
    .describe(
      'fixed spans; 32 is what Expire-Span keeps at the end: the last block, and one more for what has not expired',
    ),
  long_span: z.boolean().default(true).describe('whether a fixed span of attn_lim is trained too'),
  test_episodes: whole.default(200).describe('corridors of each length that are tried'),
  batch_size: whole.default(16).describe('sequences in a step'),
  mem_sz: whole.default(16).describe('tokens of a block'),
  arms: armSettings({ steps: 1000, learning_rates: [3e-3] }).prefault({}),
})
type CorridorSettings = z.infer<typeof config>

/** The arms: Expire-Span, a long and short fixed spans. */
function corridorArms(settings: CorridorSettings): MemoryArm[] {
  const { train_length, lengths, attn_lim, short_spans, long_span, test_episodes, batch_size, mem_sz } = settings
  const common: Changes = {
    'data.max_length': train_length,
    'train.batch_size': batch_size,
    'model.mem_sz': mem_sz,
  }
  const trials = Object.fromEntries(
    lengths.map((length) => [
      String(length),
      {
        'data.min_length': length,
        'data.max_length': length,
        // In each row whole episodes, at least one, and whole blocks, at least one.
        'data.test_tokens': batch_size * Math.max(mem_sz, (length + 2) * Math.ceil(test_episodes / batch_size + 1)),
      },
    ]),
  )
  const arm = (name: string, title: string, changes: Changes): MemoryArm => ({
    name,
    title,
    recipe: 'corridors',
    changes: { ...common, ...changes },
    trials,
  })
  return [
    arm('expire', `Expire-Span, at most ${attn_lim}`, { 'model.attn_lim': attn_lim }),
    ...short_spans.map((span) =>
      arm(`fixed-${span}`, `fixed span ${span}`, { 'model.memory': 'fixed', 'model.attn_lim': span }),
    ),
    ...(long_span
      ? [arm('fixed-long', `fixed span ${attn_lim}`, { 'model.memory': 'fixed', 'model.attn_lim': attn_lim })]
      : []),
  ]
}

/** Of each length the mean over the seeds. */
function against(arms: readonly FinishedMemoryArm[], value: (score: ScoreResult) => number | undefined) {
  return arms.flatMap(({ arm, results }) => {
    const points = Object.keys(arm.trials ?? {}).flatMap((length) => {
      const found = results.flatMap(({ trials }) => {
        const trial = trials[length]
        return (trial && value(trial)) ?? []
      })
      return found.length > 0 ? [{ x: Number(length), y: meanOrZero(found) }] : []
    })
    return points.length > 0 ? [{ name: arm.title, points }] : []
  })
}

function lengthTable(arms: readonly FinishedMemoryArm[], lengths: readonly number[]): Table {
  const cells = ({ results }: FinishedMemoryArm, length: number): string[] => {
    const scores = results.flatMap(({ trials }) => trials[String(length)] ?? [])
    const alive = scores.flatMap((score) => score.alive ?? [])
    return [
      `${spread(
        scores.map(({ quality }) => 100 * quality),
        1,
      )} %`,
      `${spread(scores.map(({ memories }) => memories))}${alive.length > 0 ? ` (${spread(alive, 1)})` : ''}`,
    ]
  }
  return {
    kind: 'table',
    title: 'By length',
    caption: 'Error, and memories of a layer: kept, and in brackets those that have not expired.',
    columns: ['steps of the corridor', ...arms.flatMap(({ arm }) => [`${arm.title}: error`, 'memories'])],
    rows: lengths.map((length) => [String(length), ...arms.flatMap((arm) => cells(arm, length))]),
  }
}

/** The page. */
function corridorReport(arms: readonly FinishedMemoryArm[], settings: CorridorSettings): Report {
  const plot = (
    title: string,
    label: string,
    value: (score: ScoreResult) => number | undefined,
    more: LinePlot['series'] = [],
  ): LinePlot => ({
    kind: 'lines',
    title,
    x: { label: 'steps of the corridor', log: true },
    y: { label, ...(label === 'error' && { percent: true }) },
    series: [...against(arms, value), ...more],
  })
  const isTrained = (length: number): boolean => length <= settings.train_length
  const tried = settings.lengths.some(isTrained) ? settings.lengths.filter(isTrained) : settings.lengths
  const longest = String(Math.max(...tried))
  const all = { name: 'every step of it', points: settings.lengths.map((length) => ({ x: length, y: length + 1 })) }
  return {
    title: 'Expire-Span: the corridor',
    subtitle: `An object at one end says which of the doors at the other is right. Trained on corridors of 3 to ${settings.train_length} steps, tried on lengths of their own.`,
    summary: arms.map(({ arm, results }) => ({
      label: `${arm.title}, ${longest} steps`,
      value: `${spread(
        results.flatMap(({ trials }) => 100 * (trials[longest]?.quality ?? Number.NaN)),
        1,
      )} % wrong`,
      note: `${spread(results.flatMap(({ trials }) => trials[longest]?.memories ?? Number.NaN))} memories a layer`,
    })),
    sections: [
      {
        title: 'Against the length of the corridor',
        intro:
          'One colour of two is guessed wrongly half of the time. What Expire-Span keeps should not grow with the corridor.',
        figures: [
          plot('Error', 'error', ({ quality }) => quality),
          plot('Memories that are kept', 'memories of a layer', ({ memories }) => memories, [all]),
          plot('Memories that have not expired', 'memories of a layer', ({ alive }) => alive),
          lengthTable(arms, settings.lengths),
        ],
      },
      { title: 'Numbers', figures: [armsTable(arms)] },
    ],
    footer: describeArms(settings.arms),
  }
}

export const corridor = defineJob({
  name: 'corridor',
  summary: 'kept memory and error against the length of a corridor: Expire-Span, and fixed spans',
  config,
  run: async (settings, context) =>
    corridorReport(await runArms(corridorArms(settings), settings.arms, context), settings),
})
