/** The report of a classifier of arrays: confusions or precision by class, and mistakes. */
import type { Batch, Dataset } from '../../data/dataset.ts'
import type { Figure, Section, Table } from '../../report/figures.ts'
import { confusionCounts, worstMistakes } from '../../train/metrics.ts'
import { percent } from '../../util/words.ts'
import { type ArrayEvaluation, classPrecisions, namesOf, singleClasses } from './classifier.ts'
import type { ArrayFacts } from './facts.ts'

/** Draws one example, given as a batch of one row. */
export type ExampleFigure = (example: Batch, title: string) => Figure

const mostMistakes = 12
const mostDrawn = 4

function quality(facts: ArrayFacts, evaluation: ArrayEvaluation): Figure {
  const { labels } = facts
  if (facts.classes_per_example === 'one') {
    return {
      kind: 'confusion',
      title: 'Confusion matrix',
      caption: 'Rows: what the example is. Columns: what the model says.',
      classes: labels,
      counts: confusionCounts(singleClasses(evaluation), labels.length),
    }
  }
  const precisions = classPrecisions(evaluation, labels.length)
  return {
    kind: 'bars',
    title: 'Average precision of each class',
    caption: 'Classes that no test example has are left out.',
    value: { label: 'average precision', percent: true },
    bars: labels.flatMap((label, c) => {
      const value = precisions[c] ?? Number.NaN
      return Number.isNaN(value) ? [] : [{ label, value }]
    }),
  }
}

/** The examples that are worst: wrong with the greatest confidence, or far from having their classes on top. */
function worstExamples(facts: ArrayFacts, evaluation: ArrayEvaluation): number[] {
  if (facts.classes_per_example === 'one') return worstMistakes(singleClasses(evaluation), mostMistakes)
  const { scores, truth } = evaluation
  const gaps = scores.map((row, i) => {
    const own = truth[i] ?? []
    const others = row.filter((_, c) => !own.includes(c))
    return Math.max(0, ...others) - Math.min(1, ...own.map((c) => row[c] ?? 0))
  })
  return [...gaps.keys()]
    .filter((i) => (gaps[i] ?? 0) > 0)
    .sort((a, b) => (gaps[b] ?? 0) - (gaps[a] ?? 0))
    .slice(0, mostMistakes)
}

/** What the model says of an example. */
function saidOf(row: readonly number[], labels: readonly string[]): string {
  const order = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0))
  return order
    .slice(0, 3)
    .map((c) => `${labels[c] ?? '?'} ${percent(row[c] ?? 0, 0)}`)
    .join(', ')
}

/** The section on results: what is confused, and the test examples that are worst; `figure` draws some of them. */
export async function resultSection(
  facts: ArrayFacts,
  test: Dataset,
  evaluation: ArrayEvaluation,
  figure?: ExampleFigure,
): Promise<Section> {
  const { labels, windows } = facts
  const worst = worstExamples(facts, evaluation)
  const table: Table = {
    kind: 'table',
    title: 'The worst mistakes',
    columns: ['test example', 'is', 'said'],
    rows: worst.map((i) => [i, namesOf(evaluation.truth[i] ?? [], labels), saidOf(evaluation.scores[i] ?? [], labels)]),
  }
  const drawn = figure
    ? await Promise.all(
        worst.slice(0, mostDrawn).map(async (i) => {
          const title = `Test example ${i}: ${namesOf(evaluation.truth[i] ?? [], labels)}`
          return figure(await test.batch([i * windows], { epoch: 0, seed: 0 }), title)
        }),
      )
    : []
  return {
    title: 'What it gets wrong',
    figures: [quality(facts, evaluation), ...(worst.length > 0 ? [table] : []), ...drawn],
  }
}
