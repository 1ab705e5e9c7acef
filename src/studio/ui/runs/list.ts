/** The list of runs: what is searched, how it is ordered. */
import type { RunSummary } from '../../protocol.ts'

/** Whether a run has all words of a search in its name, recipe, state or settings. */
export function isFound(run: RunSummary, search: string): boolean {
  const text = [run.id, run.recipe, run.state, run.kind, ...run.changed].join(' ').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

export interface Order {
  readonly by: 'id' | 'recipe' | 'state' | 'started' | 'step' | 'metric'
  readonly descending: boolean
}

/** The value that a run is ordered by; undefined comes last in both directions. */
function keyOf(run: RunSummary, by: Order['by'], metric: string): string | number | undefined {
  if (by === 'metric') return run.metrics[metric]
  const value = run[by]
  return value === '' ? undefined : value
}

/** The runs in an order; equal ones keep theirs. */
export function ordered(runs: readonly RunSummary[], { by, descending }: Order, metric: string): RunSummary[] {
  const sign = descending ? -1 : 1
  return runs.toSorted((a, b) => {
    const [left, right] = [keyOf(a, by, metric), keyOf(b, by, metric)]
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined)
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right)
    return sign * String(left).localeCompare(String(right), 'en', { numeric: true })
  })
}

/** The metrics of runs, the most frequent ones first. */
export function metricNames(runs: readonly RunSummary[]): string[] {
  const counts = new Map<string, number>()
  for (const { metrics } of runs) for (const name of Object.keys(metrics)) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([name]) => name)
}

/** A list of runs with some of them replaced, added and removed. */
export function updated(
  runs: readonly RunSummary[],
  changed: readonly RunSummary[],
  removed: readonly string[],
): RunSummary[] {
  const news = new Map(changed.map((run) => [run.id, run]))
  const gone = new Set(removed)
  const kept = runs.filter(({ id }) => !gone.has(id)).map((run) => news.get(run.id) ?? run)
  const known = new Set(runs.map(({ id }) => id))
  return [...changed.filter(({ id }) => !known.has(id)), ...kept]
}
