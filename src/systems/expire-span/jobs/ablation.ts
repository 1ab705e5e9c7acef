/** What the settings of Expire-Span do: ramp, span loss, first span, noise; one changed at a time. */
import { z } from 'zod'
import type { LinePlot, Report, Section, Table } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { meanOrZero } from '../../../util/vectors.ts'
import { defineJob } from '../../define.ts'
import {
  armSettings,
  describeArms,
  type FinishedMemoryArm,
  type MemoryArm,
  qualities,
  qualityName,
  runArms,
  spread,
} from './arms.ts'
import { type Changes, memberRecipes } from './members.ts'

const positive = z.number().positive()

const config = z.strictObject({
  task: z
    .enum(memberRecipes)
    .default('corridors')
    .describe(`what is trained: ${memberRecipes.join(', ')}`),
  ramps: z.array(positive).default([2, 16, 64]).describe('lengths of the ramp'),
  losses: z.array(z.number().min(0)).default([0, 1e-5, 1e-4, 3e-4, 1e-3]).describe('weights of the span loss'),
  initial: z.array(positive.lt(1)).default([0.02, 0.1, 0.25]).describe('first spans, as parts of the maximum'),
  noisy: z.boolean().default(true).describe('whether noisy spans are tried'),
  regularisers: z.boolean().default(true).describe("whether the paper's span loss is tried beside the official code's"),
  attn_lim: whole.default(256).describe('maximum span'),
  arms: armSettings({ steps: 1000, learning_rates: [3e-3] }).prefault({}),
})
type AblationSettings = z.infer<typeof config>

/** A setting and its arms: the name of each and its value. */
interface Group {
  readonly name: string
  readonly title: string
  readonly arms: readonly { readonly value: number | string; readonly changes: Changes }[]
}

/** The settings that are varied. */
function ablationGroups(settings: AblationSettings): Group[] {
  const varied = (
    name: string,
    title: string,
    path: string,
    values: readonly (number | string | boolean)[],
  ): Group => ({
    name,
    title,
    arms: values.map((value) => ({
      value: typeof value === 'boolean' ? String(value) : value,
      changes: { [path]: value },
    })),
  })
  return [
    varied('ramp', 'Length of the ramp', 'model.expire_span_ramp', settings.ramps),
    varied('loss', 'Weight of the span loss', 'model.expire_span_loss', settings.losses),
    varied('initial', 'First span', 'model.expire_span_init_percentage', settings.initial),
    varied('noisy', 'Noisy spans', 'model.expire_span_noisy', settings.noisy ? [false, true] : []),
    varied(
      'regulariser',
      'What the span loss charges',
      'model.span_regulariser',
      settings.regularisers ? ['ramp', 'every'] : [],
    ),
  ].filter(({ arms }) => arms.length > 0)
}

const armName = (group: Group, value: number | string): string => `${group.name}-${value}`

/** One arm for each value of each setting. */
function ablationArms(settings: AblationSettings): MemoryArm[] {
  return ablationGroups(settings).flatMap((group) =>
    group.arms.map(({ value, changes }) => ({
      name: armName(group, value),
      title: `${group.title}: ${value}`,
      recipe: settings.task,
      changes: { 'model.attn_lim': settings.attn_lim, ...changes },
    })),
  )
}

function sectionOf(group: Group, finished: readonly FinishedMemoryArm[], settings: AblationSettings): Section {
  const found = group.arms.flatMap(({ value }) => {
    const of = finished.find(({ arm }) => arm.name === armName(group, value))
    return of ? [{ value, of }] : []
  })
  const table: Table = {
    kind: 'table',
    title: group.title,
    columns: ['value', qualityName(settings.task), 'memories', 'not expired'],
    rows: found.map(({ value, of }) => [
      String(value),
      qualities(of),
      spread(of.results.map(({ score }) => score.memories)),
      spread(
        of.results.flatMap(({ score }) => score.alive ?? []),
        1,
      ),
    ]),
  }
  const training: LinePlot = {
    kind: 'lines',
    title: 'Memories along the training',
    x: { label: 'step' },
    y: { label: 'memories of a layer' },
    series: found.map(({ value, of }) => ({ name: String(value), points: alongTraining(of) })),
  }
  return { title: group.title, figures: [table, training] }
}

/** Means over the seeds. */
function alongTraining({ results }: FinishedMemoryArm) {
  const [first] = results
  return (first?.memoriesInTraining ?? []).map(({ step }, i) => ({
    x: step,
    y: meanOrZero(results.map(({ memoriesInTraining }) => memoriesInTraining[i]?.memories ?? 0)),
  }))
}

/** The page. */
function ablationReport(finished: readonly FinishedMemoryArm[], settings: AblationSettings): Report {
  return {
    title: 'Expire-Span: its settings',
    subtitle: `${settings.task}, maximum span ${settings.attn_lim}; one setting changed, the others as in expire-span/${settings.task}`,
    summary: [],
    sections: ablationGroups(settings).map((group) => sectionOf(group, finished, settings)),
    footer: describeArms(settings.arms),
  }
}

export const ablation = defineJob({
  name: 'ablation',
  summary: 'length of the ramp, span loss, first span, noise: error and kept memory',
  config,
  run: async (settings, context) =>
    ablationReport(await runArms(ablationArms(settings), settings.arms, context), settings),
})
