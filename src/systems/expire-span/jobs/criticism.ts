/** The criticism: a span is decided once, when its memory is made. The same facts in another order show what that costs. */
import { z } from 'zod'
import type { Report, Table } from '../../../report/figures.ts'
import { whole } from '../../../train/settings.ts'
import { defineJob } from '../../define.ts'
import {
  armSettings,
  armsTable,
  describeArms,
  type FinishedMemoryArm,
  type MemoryArm,
  qualities,
  runArms,
  spread,
} from './arms.ts'

const config = z.strictObject({
  objects: whole.default(4).describe('objects of an episode, of which one will be asked for'),
  losses: z.array(z.number().min(0)).min(1).default([1e-4, 3e-4]).describe('weights of the span loss'),
  attn_lim: whole.default(128).describe('maximum span'),
  arms: armSettings({ steps: 1000, learning_rates: [3e-3] }).prefault({}),
})
type CriticismSettings = z.infer<typeof config>

const orders = ['before', 'after'] as const

/** Both orders with each weight of the span loss. */
function criticismArms({ objects, losses, attn_lim }: CriticismSettings): MemoryArm[] {
  return losses.flatMap((loss) =>
    orders.map((order) => ({
      name: `${order}-${loss}`,
      title: `said ${order} the objects, span loss ${loss}`,
      recipe: 'cue' as const,
      changes: {
        'data.cue': order,
        'data.objects': objects,
        'model.expire_span_loss': loss,
        'model.attn_lim': attn_lim,
      },
    })),
  )
}

/** The page. */
function criticismReport(arms: readonly FinishedMemoryArm[], settings: CriticismSettings): Report {
  const alive = ({ results }: FinishedMemoryArm): string =>
    spread(
      results.flatMap(({ score }) => score.alive ?? []),
      1,
    )
  const table: Table = {
    kind: 'table',
    title: 'The same facts in two orders',
    columns: ['it is said', 'span loss', 'error', 'memories that have not expired'],
    rows: arms.map((of) => [
      `${of.arm.changes['data.cue']} the objects`,
      String(of.arm.changes['model.expire_span_loss']),
      qualities(of),
      alive(of),
    ]),
  }
  return {
    title: 'Expire-Span: decided once',
    subtitle: `${settings.objects} objects, of which one will be asked for: it is said which, before them or after`,
    summary: arms.map((of) => ({
      label: of.arm.title,
      value: `${qualities(of)} wrong`,
      note: `${alive(of)} memories`,
    })),
    sections: [
      {
        title: 'What it costs to decide once',
        intro:
          'A memory gets its span from itself, when it is made, and no later token can change it. If it is known then which object matters, the others can be forgotten. If it is said afterwards, all must be kept until the question, or answers are lost.',
        figures: [table],
      },
      { title: 'Numbers', figures: [armsTable(arms)] },
    ],
    footer: describeArms(settings.arms),
  }
}

export const criticism = defineJob({
  name: 'criticism',
  summary: 'where deciding a span once hurts: what matters is said before the objects, or after them',
  config,
  run: async (settings, context) =>
    criticismReport(await runArms(criticismArms(settings), settings.arms, context), settings),
})
