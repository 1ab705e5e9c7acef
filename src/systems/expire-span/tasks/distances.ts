/** How well questions are answered by how long ago their answers were seen. */
import type { LinePlot, Section, Table } from '../../../report/figures.ts'
import { percent } from '../../../util/words.ts'
import type { QuestionText } from './text.ts'

/** Questions of similar distance. */
export interface DistanceBand {
  /** Tokens since the answer was seen: from this, a power of two, to below twice as many. */
  readonly from: number
  readonly questions: number
  /** Share that was answered wrongly. */
  readonly error: number
}

/** The questions of some texts by distance; `wrong`: of each text, 1 where a question was answered wrongly. */
export function errorByDistance(texts: readonly QuestionText[], wrong: readonly (readonly number[])[]): DistanceBand[] {
  const bands = new Map<number, { questions: number; wrong: number }>()
  for (const [row, { distances }] of texts.entries()) {
    for (const [i, answer] of (wrong[row] ?? []).entries()) {
      const distance = distances[i] ?? 0
      if (distance === 0) continue
      const from = 2 ** Math.floor(Math.log2(distance))
      const band = bands.get(from) ?? { questions: 0, wrong: 0 }
      bands.set(from, { questions: band.questions + 1, wrong: band.wrong + answer })
    }
  }
  return [...bands]
    .sort(([a], [b]) => a - b)
    .map(([from, { questions, wrong: errors }]) => ({ from, questions, error: errors / questions }))
}

/** Share of the questions whose answer lies more than so many tokens back: no model that sees less can know it. */
export function shareBeyond(texts: readonly QuestionText[], span: number): number {
  const asked = texts.flatMap(({ distances }) => distances.filter((distance) => distance > 0))
  return asked.filter((distance) => distance > span).length / Math.max(1, asked.length)
}

/** The error by distance as a plot and a table. */
export function distanceSection(texts: readonly QuestionText[], wrong: readonly (readonly number[])[]): Section {
  const bands = errorByDistance(texts, wrong)
  const plot: LinePlot = {
    kind: 'lines',
    title: 'Error by distance',
    caption: 'Of questions whose answer was last seen so many tokens ago.',
    x: { label: 'tokens since the answer was seen', log: true },
    y: { label: 'error', percent: true },
    series: [{ name: 'error', points: bands.map(({ from, error }) => ({ x: from, y: error })) }],
  }
  const table: Table = {
    kind: 'table',
    title: 'Questions',
    columns: ['tokens ago', 'questions', 'wrong'],
    rows: bands.map(({ from, questions, error }) => [
      `${from.toLocaleString('en')} to ${(2 * from - 1).toLocaleString('en')}`,
      questions,
      percent(error),
    ]),
  }
  return { title: 'How far back', figures: [plot, table] }
}
