/** What a trained model remembers: how much in each layer, and which characters how long. */
import type { Dataset } from '../../data/dataset.ts'
import * as ops from '../../ops/index.ts'
import type { HeatmapGrid, LinePlot, Section, Table } from '../../report/figures.ts'
import { type CharacterFacts, decodeCharacters } from '../../tasks/language/characters.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { blockReader, CarriedMemory } from './carried.ts'
import { type AnyModel, ExpireSpan } from './model.ts'
import type { ModelSettings } from './settings.ts'
import type { StreamFields } from './stream.ts'

/** Memories of each layer after each block of the test text. */
export function explainMemory(lengths: readonly (readonly number[])[], settings: ModelSettings): Section {
  const layers = lengths[0]?.map((_, layer) => layer) ?? []
  const plot: LinePlot = {
    kind: 'lines',
    title: 'Memories that are kept',
    caption: `After each block of ${settings.mem_sz} tokens; at most ${settings.attn_lim} steps back can be seen.`,
    x: { label: 'block of the test text' },
    y: { label: 'memories' },
    series: layers.map((layer) => ({
      name: `layer ${layer}`,
      points: lengths.map((of, x) => ({ x, y: of[layer] ?? 0 })),
    })),
  }
  return {
    title: 'Memory',
    intro:
      'Each layer keeps a number of its own. A step costs what is kept: nothing is computed of what was forgotten.',
    figures: [plot],
  }
}

/** Spans of the characters of a text, [layers][characters]: blocks as in training, from an empty memory. */
export async function spansOf(model: ExpireSpan, numbers: Int32Array): Promise<number[][]> {
  const { mem_sz } = model.config
  model.eval()
  const read = blockReader(model, (tokens: Tensor, readBlock) =>
    readBlock(tokens).layers.flatMap(({ spans }) => (spans ? ops.slice(spans.spans, [-mem_sz], 1) : [])),
  )
  const memory = new CarriedMemory(model, 1)
  const found: number[][] = model.layers.map(() => [])
  try {
    for (let start = 0; start + mem_sz <= numbers.length; start += mem_sz) {
      const data = numbers.slice(start, start + mem_sz)
      const { result, next } = await read({ dtype: 'int32', shape: [1, mem_sz], data } as never, memory.memories)
      memory.advance(next)
      for (const [layer, spans] of result.entries()) found[layer]?.push(...toNumbers(spans.array.data))
    }
  } finally {
    await read.compiled.release()
  }
  return found
}

const shownBlocks = 8

/** Which characters of the test text are kept how long. */
export async function explainSpans(
  model: AnyModel,
  facts: CharacterFacts,
  test: Dataset<StreamFields>,
): Promise<Section[]> {
  if (!(model instanceof ExpireSpan)) return []
  const { mem_sz, attn_lim } = model.config
  const numbers = await firstRow(test, shownBlocks)
  const spans = await spansOf(model, numbers)
  const averages = characterAverages(numbers, spans)
  const longest: Table = {
    kind: 'table',
    title: 'Characters and their spans',
    caption:
      'Mean predicted span over all layers, longest first, of characters that occur at least twice in the passage.',
    columns: ['character', 'times', 'mean span'],
    rows: averages.map(({ number, times, span }) => [
      JSON.stringify(decodeCharacters([number], facts)),
      times,
      Math.round(span),
    ]),
  }
  const heatmaps: HeatmapGrid = {
    kind: 'heatmaps',
    title: 'Spans along the text',
    caption: `A line is a layer, a column a character; red: up to ${attn_lim} steps. The passage of each tile stands under it.`,
    scale: 'shared',
    size: 8 * mem_sz,
    matrices: Array.from({ length: Math.floor(numbers.length / mem_sz) }, (_, block) => ({
      values: spans.flatMap((layer) => layer.slice(block * mem_sz, (block + 1) * mem_sz)),
      width: mem_sz,
      height: spans.length,
      caption: decodeCharacters(numbers.slice(block * mem_sz, (block + 1) * mem_sz), facts),
    })),
  }
  return [{ title: 'What is kept how long', figures: [heatmaps, longest] }]
}

/** The first blocks of the first row of a stream. */
async function firstRow(test: Dataset<StreamFields>, blocks: number): Promise<Int32Array> {
  const { begins } = await test.batch(
    Array.from({ length: test.length }, (_, i) => i),
    { epoch: 0, seed: 0 },
  )
  const rows = toNumbers(begins.data).filter((flag) => flag === 1).length
  const indices = Array.from({ length: Math.floor(test.length / rows) }, (_, i) => i * rows).slice(0, blocks)
  const { input } = await test.batch(indices, { epoch: 0, seed: 0 })
  return Int32Array.from(toNumbers(input.data))
}

function characterAverages(numbers: Int32Array, spans: readonly (readonly number[])[]) {
  const found = new Map<number, { number: number; times: number; span: number }>()
  for (const [i, number] of numbers.entries()) {
    const before = found.get(number) ?? { number, times: 0, span: 0 }
    const mean = spans.reduce((sum, layer) => sum + (layer[i] ?? 0), 0) / spans.length
    const times = before.times + 1
    found.set(number, { number, times, span: before.span + (mean - before.span) / times })
  }
  return [...found.values()].filter(({ times }) => times > 1).sort((a, b) => b.span - a.span)
}
