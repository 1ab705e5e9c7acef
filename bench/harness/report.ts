/** Results as lines, a JSON file and a Markdown file. */
import type { Figures, Outcome } from './measure.ts'

/** One row: what was measured of which participant, in the measure's unit. */
export interface Result {
  readonly workload: string
  /** train, infer, decode, start, memory, product */
  readonly measure: string
  readonly participant: string
  readonly unit: string
  readonly value?: number
  readonly low?: number
  readonly high?: number
  /** Why there is no value. */
  readonly missing?: string
}

const isFigures = (outcome: Outcome): outcome is Figures => 'median' in outcome

/** Rows of one measurement. A training or decoding process also tells its start and its memory. */
export function resultsOf(workload: string, measure: string, outcomes: ReadonlyMap<string, Outcome>): Result[] {
  return [...outcomes].flatMap(([participant, outcome]): Result[] => {
    if (!isFigures(outcome)) return [{ workload, measure, participant, unit: 'ms', missing: outcome.missing }]
    const { median: value, low, high, startSeconds, peakMegabytes } = outcome
    const steps = { workload, measure, participant, unit: 'ms', value, low, high }
    if (measure !== 'train' && measure !== 'decode') return [steps]
    return [
      steps,
      { workload, measure: 'start', participant, unit: 's', value: startSeconds },
      { workload, measure: 'memory', participant, unit: 'MB', value: peakMegabytes },
    ]
  })
}

/** tenfold's value over the peer's, by `workload/measure/peer`. */
export function ratiosOf(results: readonly Result[]): Record<string, number> {
  const ratios: Record<string, number> = {}
  for (const { workload, measure, participant, value } of results) {
    const own = results.find(
      (other) => other.workload === workload && other.measure === measure && other.participant === 'tenfold',
    )
    if (participant !== 'tenfold' && value !== undefined && own?.value !== undefined)
      ratios[`${workload}/${measure}/${participant}`] = Number((own.value / value).toFixed(3))
  }
  return ratios
}

const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))

function cell({ value, low, high, unit, missing }: Result): string {
  if (value === undefined) return `- (${missing ?? 'not measured'})`
  const spread = low !== undefined && high !== undefined ? ` (${number(low)} .. ${number(high)})` : ''
  return `${number(value)} ${unit}${spread}`
}

/** `transformer-lm train  tenfold 308 ms (300 .. 330), torch 320 ms (...): 0.96` */
export function describe(results: readonly Result[]): string[] {
  const ratios = ratiosOf(results)
  return groups(results).map((rows) => {
    const [first] = rows
    const cells = rows.map((row) => {
      const ratio = ratios[`${row.workload}/${row.measure}/${row.participant}`]
      return `${row.participant} ${cell(row)}${ratio === undefined ? '' : `, ratio ${ratio}`}`
    })
    return `${`${first?.workload} ${first?.measure}`.padEnd(24)} ${cells.join('   ')}`
  })
}

function groups(results: readonly Result[]): Result[][] {
  const found = new Map<string, Result[]>()
  for (const result of results) {
    const key = `${result.workload}/${result.measure}`
    found.set(key, [...(found.get(key) ?? []), result])
  }
  return [...found.values()]
}

/** A table with a row for each workload and measure. */
export function markdown(results: readonly Result[], machine: Readonly<Record<string, string>>): string {
  const peers = [...new Set(results.map(({ participant }) => participant))].filter((name) => name !== 'tenfold')
  const ratios = ratiosOf(results)
  const rows = groups(results).map((group) => {
    const own = group.find(({ participant }) => participant === 'tenfold')
    const cells = peers.flatMap((peer) => {
      const found = group.find(({ participant }) => participant === peer)
      return [found ? cell(found) : '', String(ratios[`${own?.workload}/${own?.measure}/${peer}`] ?? '')]
    })
    return `| ${own?.workload} | ${own?.measure} | ${own ? cell(own) : ''} | ${cells.join(' | ')} |`
  })
  return [
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join('; '),
    '',
    `| workload | measure | tenfold | ${peers.map((peer) => `${peer} | tenfold / ${peer}`).join(' | ')} |`,
    `|---|---|---|${peers.map(() => '---|---|').join('')}`,
    ...rows,
    '',
  ].join('\n')
}
