/** The page of the job `perceiver/cost`. */
import type { Figure, LinePlot, Report, Section, Series, Table } from '../../../report/figures.ts'
import type { CostSettings, Measured } from './cost.ts'
import type { CostResult } from './cost-measurement.ts'

type Quantity = 'milliseconds' | 'peakMebibytes'

const inputsOf = ({ task }: Measured): number => task.side ** 2

/** One of the lines of a series, its measurements in the order of x. */
interface Line {
  readonly name: string
  readonly points: readonly (Measured & { readonly result: CostResult })[]
}

const titles = { perceiver: 'Perceiver', transformer: 'self-attention on the inputs' } as const

/** Lines of a series: what came to its end, by what `nameOf` tells apart. */
function linesOf(measured: readonly Measured[], series: Measured['series'], nameOf: (m: Measured) => string): Line[] {
  const all = measured.flatMap((each) =>
    each.series === series && each.result ? [{ ...each, result: each.result, name: nameOf(each) }] : [],
  )
  const names = [...new Set(all.map(({ name }) => name))]
  return names.map((name) => ({ name, points: all.filter((each) => each.name === name) }))
}

function plot(
  title: string,
  lines: readonly Line[],
  x: { readonly label: string; readonly log: boolean; readonly of: (measured: Measured) => number },
  quantity: Quantity,
): LinePlot {
  const series = lines.map(
    ({ name, points }): Series => ({
      name,
      points: points.map((each) => ({ x: x.of(each), y: each.result[quantity] })),
    }),
  )
  const label = quantity === 'milliseconds' ? 'milliseconds' : 'MiB'
  return { kind: 'lines', title, x: { label: x.label, log: x.log }, y: { label, log: x.log }, series }
}

/** The exponent of growth between two points: 1 is linear, 2 quadratic. */
export function exponent([x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number]): number {
  return Math.log(y1 / y0) / Math.log(x1 / x0)
}

/** How a line of a series grows with its inputs, in words; from the two largest, where fixed costs count least. */
function growthSentence({ name, points }: Line): string[] {
  const [small, large] = points.slice(-2)
  if (!small || !large || small === large) return []
  const grows = exponent([inputsOf(small), small.result.milliseconds], [inputsOf(large), large.result.milliseconds])
  const times = (quantity: Quantity): string => (large.result[quantity] / small.result[quantity]).toFixed(1)
  return [
    `${name}: from ${inputsOf(small).toLocaleString('en')} to ${inputsOf(large).toLocaleString('en')} inputs ${times('milliseconds')} times the time (exponent ${grows.toFixed(2)}) and ${times('peakMebibytes')} times the memory.`,
  ]
}

/** Milliseconds and MiB that one more self attention costs. */
function slopeOf(points: Line['points'], quantity: Quantity): number {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || first === last) return Number.NaN
  return (last.result[quantity] - first.result[quantity]) / (last.task.self - first.task.self)
}

function depthSentence({ name, points }: Line): string[] {
  const milliseconds = slopeOf(points, 'milliseconds')
  if (Number.isNaN(milliseconds)) return []
  return [
    `${name}: each further self attention adds ${milliseconds.toFixed(1)} ms and ${slopeOf(points, 'peakMebibytes').toFixed(1)} MiB to a training step.`,
  ]
}

/** What the training steps of the large model say about memory, in words. */
function largeSentences(measured: readonly Measured[]): string[] {
  const lines = linesOf(measured, 'large', ({ task }) => (task.share ? 'Shared weights' : 'Unshared weights'))
  return lines.flatMap(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)]
    if (!first || !last || first === last) return []
    const { task } = last
    const weights = (4 * 4 * (last.result.parameters - first.result.parameters)) / 2 ** 20
    return [
      `${name}: from ${first.task.cross} to ${task.cross} cross attentions on ${inputsOf(last).toLocaleString('en')} inputs the peak goes from ${first.result.peakMebibytes.toFixed(0)} to ${last.result.peakMebibytes.toFixed(0)} MiB; ${weights.toFixed(0)} MiB of that are more weights with their gradients and moments. The keys and values of one more cross attention would be ${((2 * 4 * inputsOf(last) * (3 + 2 * (2 * task.bands + 1))) / 2 ** 20).toFixed(0)} MiB, if they were kept.`,
    ]
  })
}

function tableOf(measured: readonly Measured[]): Table {
  return {
    kind: 'table',
    title: 'Every measurement',
    caption: 'Each in a process of its own. MiB: its largest resident set, less what it had before the model was made.',
    columns: ['model', 'inputs', 'pass', 'cross', 'self', 'latents', 'width', 'weights', 'parameters', 'ms', 'MiB'],
    rows: measured.map(({ task, result, missing = '' }) => {
      const isPerceiver = task.model === 'perceiver'
      return [
        titles[task.model],
        String(task.side ** 2),
        task.pass,
        isPerceiver ? String(task.cross) : '-',
        String(task.self),
        isPerceiver ? String(task.latents) : '-',
        String(task.width),
        task.share || !isPerceiver ? 'shared' : 'unshared',
        result ? String(result.parameters) : '-',
        result?.milliseconds.toFixed(1) ?? missing,
        result?.peakMebibytes.toFixed(0) ?? '-',
      ]
    }),
  }
}

const text = (paragraphs: readonly string[]): Figure[] =>
  paragraphs.length > 0 ? [{ kind: 'text', title: 'In words', paragraphs }] : []

function largeSection(measured: readonly Measured[]): Section {
  const lines = linesOf(measured, 'large', ({ task }) => (task.share ? 'shared weights' : 'unshared weights'))
  const x = { label: 'cross attentions', log: false, of: ({ task }: Measured) => task.cross }
  return {
    title: 'Fifty thousand inputs',
    intro:
      'Training steps on pictures of 224 x 224 pixels, each pixel an input of 261 channels. Cross attention is computed from the inputs themselves, by blocks of queries; latent transformers are computed again in the backward pass.',
    figures: [
      ...text(largeSentences(measured)),
      plot('Time of a training step', lines, x, 'milliseconds'),
      plot('Peak memory', lines, x, 'peakMebibytes'),
    ],
  }
}

/** The whole page. */
export function costReport(measured: readonly Measured[], settings: CostSettings): Report {
  const inputs = linesOf(measured, 'inputs', ({ task }) => `${titles[task.model]}, ${task.pass}`)
  const depth = linesOf(measured, 'depth', (each) => `${titles[each.task.model]}, ${inputsOf(each)} inputs`)
  const byInputs = { label: 'inputs', log: true, of: inputsOf }
  const byDepth = { label: 'self attentions', log: false, of: ({ task }: Measured) => task.self }
  const largest = measured.findLast(({ series, task, result }) => series === 'large' && task.share && result)
  return {
    title: 'perceiver / cost',
    subtitle: `${settings.latents} latents of ${settings.width} channels, ${settings.cross_attentions} cross and ${settings.self_attentions} self attentions, against a transformer of the same width and depth on the pixels; one picture in a batch`,
    summary: largest?.result
      ? [
          {
            label: `a training step on ${inputsOf(largest).toLocaleString('en')} inputs`,
            value: `${(largest.result.milliseconds / 1000).toFixed(1)} s`,
            note: `${largest.task.latents} latents of ${largest.task.width}, ${largest.task.cross} cross and ${largest.task.self} self attentions; ${largest.result.peakMebibytes.toFixed(0)} MiB`,
          },
        ]
      : [],
    sections: [
      {
        title: 'Against the number of inputs',
        intro:
          'Both scales are logarithmic: a straight line is a power of the number of inputs, and its slope the exponent.',
        figures: [
          ...text(inputs.flatMap(growthSentence)),
          plot('Time', inputs, byInputs, 'milliseconds'),
          plot('Peak memory', inputs, byInputs, 'peakMebibytes'),
        ],
      },
      {
        title: 'Against depth',
        intro:
          'Training steps. What one more self attention costs a Perceiver does not depend on the number of inputs.',
        figures: [
          ...text(depth.flatMap(depthSentence)),
          plot('Time of a training step', depth, byDepth, 'milliseconds'),
          plot('Peak memory', depth, byDepth, 'peakMebibytes'),
        ],
      },
      largeSection(measured),
      { title: 'Numbers', figures: [tableOf(measured)] },
    ],
    footer: 'Written by tenfold run perceiver/cost. The fastest of the measured calls counts.',
  }
}
