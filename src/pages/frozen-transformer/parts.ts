/** The parts that can be switched on, and the figure of whom the tokens attend to. */
import type { HeatmapGrid } from '../../report/figures.ts'
import type { FrozenPageSettings, Look } from './program.ts'
import { tokens } from './sizes.ts'

export type Part = keyof FrozenPageSettings['frozen']

/** Whether a part is frozen in the paper, and how it is called. */
export const parts: readonly { readonly part: Part; readonly label: string; readonly frozen: boolean }[] = [
  { part: 'freeze_in', label: 'input layer', frozen: false },
  { part: 'freeze_pos', label: 'positions', frozen: false },
  { part: 'freeze_ln', label: 'layer norms', frozen: false },
  { part: 'freeze_attn', label: 'attention', frozen: true },
  { part: 'freeze_ff', label: 'feed-forward layers', frozen: true },
  { part: 'freeze_out', label: 'output layer', frozen: false },
]

/** As in the paper. */
export const published = Object.fromEntries(parts.map(({ part, frozen }) => [part, frozen])) as Record<Part, boolean>

/** What learns, in words. */
export function nameOf(frozen: Readonly<Record<Part, boolean>>): string {
  if (parts.every(({ part, frozen: usual }) => frozen[part] === usual)) return 'as in the paper'
  const learning = parts.filter(({ part }) => !frozen[part]).map(({ label }) => label)
  return learning.length === parts.length ? 'all of it learns' : `learns: ${learning.join(', ') || 'nothing'}`
}

/** Whom the tokens of the first layer attend to. */
export function attentionFigure({ attention, shares }: Look): HeatmapGrid {
  return {
    kind: 'heatmaps',
    title: 'Whom the bits attend to, first layer',
    caption:
      'A map is one head; a row is a bit of both strings, its columns the bits that it reads. The answers are read from the last five rows. Percent: how much of their attention goes to the two bits that matter.',
    matrices: attention.map((values, head) => ({
      values,
      width: tokens,
      height: tokens,
      caption: `head ${head + 1}: ${Math.round(100 * (shares[head] ?? 0))} %`,
    })),
    size: 130,
  }
}
