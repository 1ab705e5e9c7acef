/** Maximum spans of 256 to 65,536 (Table 3 of the paper): the longer it may be, the more can be answered, while little is kept. */
import { z } from 'zod'
import type { LinePlot, Report, Table } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
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
import type { Changes } from './members.ts'

const tasks = ['collisions', 'copy', 'corridors'] as const

const config = z.strictObject({
  task: z
    .enum(tasks)
    .default('corridors')
    .describe(`what is remembered: ${tasks.join(', ')}`),
  spans: z.array(whole).min(1).default([256, 1024, 4096, 65_536]).describe('maximum spans'),
  hid_sz: whole.default(32).describe('width'),
  nlayers: whole.default(1).describe('layers'),
  mem_sz: whole.default(64).describe('tokens of a block'),
  batch_size: whole.default(16).describe('sequences in a step'),
  ramp: whole.default(64).describe('steps in which a memory fades out'),
  span_loss: z.number().min(0).default(1e-5).describe('what remembering costs'),
  initial_steps: whole.default(128).describe('the span that memories begin with, in steps, whatever the maximum'),
  noisy: z.boolean().default(false).describe('cut the spans of a training block at random'),
  row_tokens: whole.default(65_536).describe('tokens of a row of the training text, of which there are batch_size'),
  test_row_tokens: whole.default(16_384).describe('tokens of a row of the test text'),
  corridor_length: whole
    .default(2000)
    .describe('corridors: the longest; lengths are spread by their order of magnitude'),
  copy_length: whole.default(1000).describe('copy: symbols of a sequence'),
  copy_symbols: whole.default(64).describe('copy: different symbols'),
  grid_size: whole.default(16).describe('collisions: rows and columns'),
  num_colors: whole.default(5).describe('collisions: colours'),
  arms: armSettings({ steps: 1000, seeds: 1, learning_rates: [5e-3] }).prefault({}),
})
type ScaleSettings = z.infer<typeof config>

/** Settings of the text of each task. */
function textOf(settings: ScaleSettings): Changes {
  const { task, row_tokens, test_row_tokens, batch_size, mem_sz } = settings
  for (const [name, tokens] of Object.entries({ row_tokens, test_row_tokens })) {
    if (tokens < mem_sz) throw new UsageError(`${name} must be at least mem_sz, ${mem_sz}, found ${tokens}`)
  }
  const lengths = { 'data.tokens': row_tokens * batch_size, 'data.test_tokens': test_row_tokens * batch_size }
  const own = {
    corridors: { 'data.max_length': settings.corridor_length, 'data.log_lengths': true },
    copy: { 'data.length': settings.copy_length, 'data.symbols': settings.copy_symbols },
    collisions: { 'data.grid_size': settings.grid_size, 'data.num_colors': settings.num_colors },
  }
  return { ...lengths, ...own[task] }
}

/** One arm for each maximum span; all else is equal, the first span in steps too. */
function scaleArms(settings: ScaleSettings): MemoryArm[] {
  const { task, spans, hid_sz, nlayers, mem_sz, batch_size, ramp, span_loss, initial_steps, noisy } = settings
  return spans.map((span) => ({
    name: `${task}-${span}`,
    title: `at most ${span.toLocaleString('en')}`,
    recipe: task,
    changes: {
      ...textOf(settings),
      'model.attn_lim': span,
      'model.hid_sz': hid_sz,
      'model.nlayers': nlayers,
      'model.mem_sz': mem_sz,
      'model.expire_span_ramp': ramp,
      'model.expire_span_loss': span_loss,
      'model.expire_span_init_percentage': Math.min(0.5, initial_steps / span),
      'model.expire_span_noisy': noisy,
      'train.batch_size': batch_size,
    },
  }))
}

const spanOf = ({ arm }: FinishedMemoryArm): number => Number(arm.changes['model.attn_lim'])

/** The page. */
function scaleReport(arms: readonly FinishedMemoryArm[], settings: ScaleSettings): Report {
  const points = (value: (result: FinishedMemoryArm['results'][number]) => number) =>
    arms.map((of) => ({ x: spanOf(of), y: meanOrZero(of.results.map(value)) }))
  const x = { label: 'maximum span', log: true }
  const error: LinePlot = {
    kind: 'lines',
    title: 'Error',
    caption:
      'What cannot be known: guessing where the answer was last seen more than the maximum span ago, right everywhere else.',
    x,
    y: { label: 'error', percent: true },
    series: [
      { name: 'Expire-Span', points: points(({ score }) => score.quality) },
      { name: 'cannot be known', points: points(({ score }) => (score.beyond ?? 0) * (score.guessing ?? 0)) },
      { name: 'guessing', points: points(({ score }) => score.guessing ?? Number.NaN) },
    ],
  }
  const kept: LinePlot = {
    kind: 'lines',
    title: 'Memories of a layer',
    x,
    y: { label: 'memories', log: true },
    series: [
      { name: 'maximum', points: arms.map((of) => ({ x: spanOf(of), y: spanOf(of) })) },
      { name: 'kept', points: points(({ score }) => score.memories) },
      { name: 'not expired', points: points(({ score }) => score.alive ?? Number.NaN) },
    ],
  }
  const bands = [
    ...new Set(
      arms.flatMap(({ results }) => results.flatMap(({ score }) => score.bands ?? [])).map(({ from }) => from),
    ),
  ]
  const byDistance: LinePlot = {
    kind: 'lines',
    title: 'Error by distance',
    x: { label: 'tokens since the answer was seen', log: true },
    y: { label: 'error', percent: true },
    series: arms.map(({ arm, results }) => ({
      name: arm.title,
      points: bands
        .toSorted((a, b) => a - b)
        .flatMap((from) => {
          const found = results.flatMap(({ score }) => score.bands?.filter((band) => band.from === from) ?? [])
          return found.length > 0 ? [{ x: from, y: meanOrZero(found.map((band) => band.error)) }] : []
        }),
    })),
  }
  const table: Table = {
    kind: 'table',
    title: 'By maximum span',
    columns: ['maximum span', 'error', 'cannot be known', 'memories kept', 'not expired', 'by layer'],
    rows: arms.map((of) => [
      spanOf(of).toLocaleString('en'),
      `${spread(
        of.results.map(({ score }) => 100 * score.quality),
        1,
      )} %`,
      `${spread(
        of.results.map(({ score }) => 100 * (score.beyond ?? 0) * (score.guessing ?? 0)),
        1,
      )} %`,
      spread(of.results.map(({ score }) => score.memories)),
      spread(
        of.results.flatMap(({ score }) => score.alive ?? []),
        1,
      ),
      (of.results[0]?.score.layers ?? []).map((value) => Math.round(value).toLocaleString('en')).join(', '),
    ]),
  }
  return {
    title: 'Expire-Span: longer and longer',
    subtitle: `${settings.task}, blocks of ${settings.mem_sz} tokens, ${settings.batch_size} rows`,
    summary: arms.map((of) => ({
      label: of.arm.title,
      value: `${spread(
        of.results.map(({ score }) => 100 * score.quality),
        1,
      )} % wrong`,
      note: `${spread(of.results.map(({ score }) => score.memories))} memories a layer`,
    })),
    sections: [
      { title: 'Against the maximum span', figures: [error, kept, byDistance, table] },
      { title: 'Numbers', figures: [armsTable(arms)] },
    ],
    footer: describeArms(settings.arms),
  }
}

export const scale = defineJob({
  name: 'scale',
  summary: 'maximum spans of 256 to 65,536: error and kept memory',
  config,
  run: async (settings, context) => scaleReport(await runArms(scaleArms(settings), settings.arms, context), settings),
})
