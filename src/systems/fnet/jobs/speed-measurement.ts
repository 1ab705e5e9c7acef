/** Time and memory of a training step by the length of the sequence: FNet, Linear, hybrid and BERT encoders of equal width. */
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import { AdamW } from '../../../optim/index.ts'
import type { LinePlot, Section, Table } from '../../../report/figures.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { Generator } from '../../../util/random.ts'
import { costOfCalls, residentMebibytes } from '../../measurement.ts'
import type { FNetConfig } from '../config.ts'
import { FNetForSequenceClassification } from '../model.ts'

/** The encoders that are compared, by the name they are shown under. */
export const measuredEncoders = {
  FNet: { model_arch: 'f_net', num_attention_layers: 0 },
  Linear: { model_arch: 'linear', num_attention_layers: 0 },
  'FNet-Hybrid': { model_arch: 'f_net', num_attention_layers: 1 },
  BERT: { model_arch: 'bert', num_attention_layers: 0 },
} as const satisfies Readonly<Record<string, Partial<FNetConfig>>>

export type MeasuredEncoder = keyof typeof measuredEncoders

/** Sizes that all encoders share: two layers, of which a hybrid's last attends. */
const sizes = { d_emb: 256, d_model: 256, d_ff: 1024, num_heads: 4, num_layers: 2, vocab_size: 257 } as const

export interface SpeedOptions {
  /** Measured steps, at least, after one that is not. */
  readonly steps: number
  /** Sequences in a step. */
  readonly batch: number
  /** Threads that compute one op. Default: the runtime's choice. */
  readonly threads?: number
}

/** One encoder at one length. */
export interface SpeedResult {
  readonly encoder: MeasuredEncoder
  readonly length: number
  /** Shortest time of a training step in milliseconds; undefined where the process did not finish. */
  readonly milliseconds: number | undefined
  /** Peak memory of the process (resident set), in MiB, less what it had before the model was made. */
  readonly peakMebibytes: number | undefined
  readonly parameters: number | undefined
}

/** Trains a classifier of random bytes for some steps. Memory is the whole process's: give every measurement one of its own. */
export async function measureSpeed(
  encoder: MeasuredEncoder,
  length: number,
  { steps, batch, ...threads }: SpeedOptions,
): Promise<SpeedResult> {
  const before = residentMebibytes()
  manualSeed(0)
  const model = new FNetForSequenceClassification(
    {
      ...sizes,
      ...measuredEncoders[encoder],
      max_seq_length: length,
      type_vocab_size: 1,
      pad_token_id: 0,
      attention_layout: 'top',
      dropout_rate: 0,
      mixing_dropout_rate: 0,
      // The cheaper mask, so that the baseline is not slowed down by what the comparison does not need.
      port: { attention_mask: 'keys' },
    },
    2,
  )
  const parameters = model.parameters()
  const optimizer = new AdamW(parameters, { lr: 1e-4 })
  const step = compile((ids: Tensor, labels: Tensor) => {
    const loss = ops.crossEntropy(model.forward(ids, ops.zeros(ids.shape, 'int64')), labels)
    optimizer.minimize(loss)
    return loss
  }, threads)
  const ids: NDArray = {
    dtype: 'int32',
    shape: [batch, length],
    data: new Generator(0).integers(1, sizes.vocab_size, batch * length),
  }
  const labels: NDArray = { dtype: 'int32', shape: [batch], data: new Int32Array(batch) }
  const cost = await costOfCalls(() => step(ids, labels), steps, before)
  await step.release()
  return {
    encoder,
    length,
    ...cost,
    parameters: parameters.reduce((sum, { size }) => sum + size, 0),
  }
}

/**
 * BERT's value divided by FNet's in the paper, by length, on its GPUs: training steps a second and peak memory of the Long Range
 * Arena (Tables 4b and 4c, from public notes that give rounded numbers). At 4,096 tokens its Transformer runs out of memory.
 */
export const paperRatios: ReadonlyMap<number, { readonly time: number; readonly memory: number }> = new Map([
  [512, { time: 2, memory: 2 }],
  [1024, { time: 2.4, memory: 3.1 }],
  [2048, { time: 3.5, memory: 5.5 }],
])

/** BERT's time and memory over FNet's at one length. */
export interface SpeedRatio {
  readonly length: number
  readonly time: number
  readonly memory: number
}

export function speedRatios(results: readonly SpeedResult[]): SpeedRatio[] {
  return results
    .filter(({ encoder }) => encoder === 'FNet')
    .flatMap(({ length, milliseconds, peakMebibytes }) => {
      const bert = results.find((result) => result.encoder === 'BERT' && result.length === length)
      if (!milliseconds || !peakMebibytes || !bert?.milliseconds || !bert.peakMebibytes) return []
      return [{ length, time: bert.milliseconds / milliseconds, memory: bert.peakMebibytes / peakMebibytes }]
    })
}

const numberOr = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '-'

/** The results as a table: one row a length, time and memory of each encoder, our ratios and the paper's. */
export function speedTable(results: readonly SpeedResult[]): Table {
  const encoders = encodersOf(results)
  const ratios = speedRatios(results)
  const lengths = [...new Set(results.map(({ length }) => length))].sort((a, b) => a - b)
  return {
    kind: 'table',
    title: 'Every measurement',
    caption:
      'Times in milliseconds, memory in MiB; BERT / FNet is how many times as much BERT needs, in brackets the paper.',
    columns: [
      'length',
      ...encoders.flatMap((encoder) => [`${encoder} ms`, `${encoder} MiB`]),
      'time: BERT / FNet',
      'memory: BERT / FNet',
    ],
    rows: lengths.map((length) => {
      const ratio = ratios.find((each) => each.length === length)
      const paper = paperRatios.get(length)
      const beside = (value: number | undefined): string => (value === undefined ? '' : ` (${value.toFixed(1)})`)
      return [
        String(length),
        ...encoders.flatMap((encoder) => {
          const found = results.find((result) => result.encoder === encoder && result.length === length)
          return [numberOr(found?.milliseconds, 1), numberOr(found?.peakMebibytes, 0)]
        }),
        `${numberOr(ratio?.time, 1)}${beside(paper?.time)}`,
        `${numberOr(ratio?.memory, 1)}${beside(paper?.memory)}`,
      ]
    }),
  }
}

function encodersOf(results: readonly SpeedResult[]): MeasuredEncoder[] {
  return [...new Set(results.map(({ encoder }) => encoder))]
}

/** The same table for a document, as Markdown. */
export function speedMarkdown(results: readonly SpeedResult[]): string {
  const { columns, rows } = speedTable(results)
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`
  return [columns, columns.map(() => '---'), ...rows].map(line).join('')
}

/** Time and memory against length, one line an encoder. */
export function speedPlots(results: readonly SpeedResult[]): { readonly time: LinePlot; readonly memory: LinePlot } {
  const against = (title: string, label: string, value: (result: SpeedResult) => number | undefined): LinePlot => ({
    kind: 'lines',
    title,
    x: { label: 'tokens', log: true },
    y: { label, log: true },
    series: encodersOf(results).map((encoder) => ({
      name: encoder,
      points: results
        .filter((result) => result.encoder === encoder)
        .map((result) => ({ x: result.length, y: value(result) ?? Number.NaN })),
    })),
  })
  return {
    time: against('Time of a training step', 'milliseconds', ({ milliseconds }) => milliseconds),
    memory: against('Peak memory', 'MiB', ({ peakMebibytes }) => peakMebibytes),
  }
}

/** What the page shows. */
export function speedSections(results: readonly SpeedResult[]): Section[] {
  const plots = speedPlots(results)
  const ratios = speedRatios(results)
  const paper = [...paperRatios]
  const ratioPlot = (kind: 'time' | 'memory', title: string): LinePlot => ({
    kind: 'lines',
    title,
    x: { label: 'tokens', log: true },
    y: { label: 'BERT / FNet' },
    series: [
      { name: 'here', points: ratios.map((ratio) => ({ x: ratio.length, y: ratio[kind] })) },
      { name: 'paper (GPU)', points: paper.map(([length, ratio]) => ({ x: length, y: ratio[kind] })) },
    ],
  })
  return [
    {
      title: 'Against the length of the sequence',
      intro:
        'Encoders of equal width on this machine. Both scales are logarithmic: a straight line is a power of the length, and its slope the exponent.',
      figures: [plots.time, plots.memory],
    },
    {
      title: "FNet's advantage",
      intro: 'How many times as much time and memory BERT needs. In the paper it grows with the length.',
      figures: [ratioPlot('time', 'Time'), ratioPlot('memory', 'Memory')],
    },
    { title: 'Numbers', figures: [speedTable(results)] },
  ]
}

/** What was measured, for the head of the page. */
export function describeSpeed({ batch, steps }: SpeedOptions): string {
  const { num_layers, d_model, d_ff, num_heads } = sizes
  return `${num_layers} layers of width ${d_model}, feed-forward ${d_ff}, ${num_heads} heads; batches of ${batch}; the fastest of at least ${steps} steps, each measurement in its own process`
}
