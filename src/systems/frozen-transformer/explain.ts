/** What a frozen transformer shows of itself: what learns, and whom the tokens of the first layer attend to (paper, Section 3.5). */
import { compile } from '../../compile/compile.ts'
import type { Batch, Dataset } from '../../data/dataset.ts'
import * as ops from '../../ops/index.ts'
import type { BarPlot, HeatmapGrid, LinePlot, Section, Table } from '../../report/figures.ts'
import { elementCount, type NDArray, toNumbers } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { BitFacts, BitFields } from './bits/data.ts'
import type { BodyOutputs } from './bodies/body.ts'
import type { FrozenTransformer } from './model.ts'

/** Parts of the model as the paper names them, by what the names contain. */
const parts: readonly (readonly [label: string, name: RegExp])[] = [
  ['output layer', /^out_net\./],
  ['input layer', /^in_net\./],
  ['layer norms', /ln|norm/i],
  ['positions', /wpe|pos_embed|position_embeddings/],
  ['feed-forward layers', /mlp|intermediate|layer\.\d+\.output/],
  ['attention', /attn|attention/],
  ['rest of the body', /./],
]

/** How much of each part learns. */
export function learningTable(model: FrozenTransformer): Table {
  const rows = new Map(parts.map(([label]) => [label, { learns: 0, all: 0 }]))
  for (const [name, { shape, trainable, frozen }] of model.variables()) {
    const row = rows.get(parts.find(([, pattern]) => pattern.test(name))?.[0] ?? '')
    if (!row || !trainable) continue
    row.all += elementCount(shape)
    if (!frozen) row.learns += elementCount(shape)
  }
  const sum = (of: 'learns' | 'all'): number => [...rows.values()].reduce((n, row) => n + row[of], 0)
  const counted = (label: string, learns: number, all: number): string[] => [
    label,
    all.toLocaleString('en'),
    learns.toLocaleString('en'),
    `${((100 * learns) / all).toFixed(2)} %`,
  ]
  return {
    kind: 'table',
    title: 'What learns',
    caption: 'All other numbers are frozen: they get no gradient and the optimizer keeps no state of them.',
    columns: ['part', 'numbers', 'learn', 'share'],
    rows: [
      ...[...rows].filter(([, { all }]) => all > 0).map(([label, { learns, all }]) => counted(label, learns, all)),
      counted('together', sum('learns'), sum('all')),
    ],
  }
}

/** What a batch looks like inside of the model. */
export type ReadInside = (x: Tensor) => Pick<BodyOutputs, 'layers'>

/** How large the activations are from layer to layer, of all tokens and of the last one; undefined where the body does not say. */
async function activationPlot(read: ReadInside, batch: NDArray): Promise<LinePlot | undefined> {
  const run = compile((x: Tensor) =>
    (read(x).layers ?? []).map((layer) => ({
      all: ops.sqrt(ops.mean(ops.square(layer))),
      last: ops.sqrt(ops.mean(ops.square(ops.select(layer, -1, 1)))),
    })),
  )
  const found = (await run(batch)).map(({ all, last }) => ({ all: all.item(), last: last.item() }))
  await run.release()
  if (found.length === 0) return undefined
  const series = (name: string, of: 'all' | 'last') => ({
    name,
    points: found.map((values, x) => ({ x, y: values[of] })),
  })
  return {
    kind: 'lines',
    title: 'Activations',
    caption:
      'Root mean square of the numbers of a token, before the first layer (0) and after each. The input layer is not scaled to what a pretrained body is used to; layer norms that learn make up for it.',
    x: { label: 'layer' },
    y: { label: 'root mean square' },
    series: [series('all tokens', 'all'), series('last token', 'last')],
  }
}

/** The section of the report about the model: what learns, and how large the activations are on a batch of test examples. */
export async function learningSection(model: FrozenTransformer, read: ReadInside, batch: NDArray): Promise<Section> {
  model.eval()
  const plot = await activationPlot(read, batch)
  return { title: 'Inside the model', figures: [learningTable(model), ...(plot ? [plot] : [])] }
}

/** Examples that attention and activations are averaged over. */
const shownExamples = 100

/** The first examples of a data set. */
export async function firstExamples<Name extends string>(data: Dataset<Name>): Promise<Batch<Name>> {
  const examples = Array.from({ length: Math.min(shownExamples, data.length) }, (_, i) => i)
  return data.batch(examples, { epoch: 0, seed: 0 })
}

/** The attention of the first layer for test examples, [examples, heads, T, T]; undefined where the body has none. */
async function firstAttention(model: FrozenTransformer, test: Dataset<BitFields>): Promise<NDArray | undefined> {
  model.eval()
  const { x } = await firstExamples(test)
  const run = compile((input: Tensor) => model.outputs(input).attentions.slice(0, 1))
  const [weights] = await run(x)
  const map = weights?.array
  await run.release()
  return map
}

/** The first example's maps, one for each head: row by row the tokens that attend. */
function attentionMaps(map: NDArray, facts: BitFacts): HeatmapGrid {
  const [, heads, height, width] = sizes(map.shape, 4)
  const values = toNumbers(map.data)
  const asked = facts.n / facts.patch_size
  return {
    kind: 'heatmaps',
    title: 'Attention of the first layer',
    caption: `A map is one head on the first test example; a row is a token, its columns are the tokens that it reads. The answer is read from the last ${asked} rows.`,
    matrices: Array.from({ length: heads }, (_, head) => ({
      values: values.slice(head * height * width, (head + 1) * height * width),
      width,
      height,
      caption: `head ${head + 1}`,
    })),
    size: 160,
  }
}

/**
 * How much of its attention each head gives to the tokens that an answer of bit XOR depends on, those of the same place in every string:
 * the mean over examples and answers. map [B, heads, T, T].
 */
export function shareOnRelevant(map: NDArray, { n, patch_size, rows }: BitFacts): number[] {
  const [examples, heads, tokens] = sizes(map.shape, 4)
  const values = toNumbers(map.data)
  const asked = n / patch_size
  return Array.from({ length: heads }, (_, head) => {
    let sum = 0
    for (let example = 0; example < examples; example++) {
      for (let place = 0; place < asked; place++) {
        const reader = (rows - 1) * asked + place
        const start = ((example * heads + head) * tokens + reader) * tokens
        for (let row = 0; row < rows; row++) sum += values[start + row * asked + place] ?? 0
      }
    }
    return sum / (examples * asked)
  })
}

function relevantBars(map: NDArray, facts: BitFacts): BarPlot {
  return {
    kind: 'bars',
    title: 'Attention on the bits that matter',
    caption:
      'Of the tokens that are read out: how much the first layer attends to those of the same place in every string.',
    value: { label: 'share of the attention', percent: true },
    bars: shareOnRelevant(map, facts).map((value, head) => ({ label: `head ${head + 1}`, value })),
  }
}

/** Sections of the report of a task of bits. */
export async function explainBits(
  model: FrozenTransformer,
  facts: BitFacts,
  test: Dataset<BitFields>,
): Promise<Section[]> {
  const map = await firstAttention(model, test)
  const { x } = await firstExamples(test)
  const { title, figures } = await learningSection(model, (input) => model.outputs(input), x)
  if (!map) return [{ title, figures }]
  const bars = facts.task === 'bit-xor' ? [relevantBars(map, facts)] : []
  return [{ title, figures: [...figures, attentionMaps(map, facts), ...bars] }]
}
