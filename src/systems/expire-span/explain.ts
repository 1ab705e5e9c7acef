/** What a trained model remembers: how much in each layer, and which characters how long. */
import type { Dataset } from '../../data/dataset.ts'
import * as ops from '../../ops/index.ts'
import type { HeatmapGrid, LinePlot, Matrix, Section, ShadedText, Table } from '../../report/figures.ts'
import { type CharacterFacts, decodeCharacters } from '../../tasks/language/characters.ts'
import { toNumbers } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { blockReader, CarriedMemory } from './carried.ts'
import { type AnyModel, ExpireSpan } from './model.ts'
import type { ModelSettings } from './settings.ts'
import { firstRow, type StreamFields } from './stream.ts'

/** Memories of each layer after each block of the test text. */
export function explainMemory(
  lengths: readonly (readonly number[])[],
  settings: Pick<ModelSettings, 'mem_sz' | 'attn_lim'>,
): Section {
  const layers = lengths[0]?.map((_, layer) => layer) ?? []
  const plot: LinePlot = {
    kind: 'lines',
    title: 'Memories that are kept',
    caption: `After each block of ${settings.mem_sz} tokens; at most ${settings.attn_lim} steps back can be seen.`,
    x: { label: 'block of the text' },
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

/** What a model remembers of a text. */
export interface ReadText {
  /** Span of each character, [layers][characters]. */
  readonly spans: readonly (readonly number[])[]
  /** Memories of each layer after each block, [blocks][layers]. */
  readonly lengths: readonly (readonly number[])[]
  /** Of the last block and each layer: how far each query sees each memory, [queries, columns]. */
  readonly masks: readonly Matrix[]
}

/** Reads a text as in training, block by block from an empty memory; what does not fill a block is left out. */
export async function readText(model: ExpireSpan, numbers: Int32Array): Promise<ReadText> {
  const { mem_sz } = model.config
  model.eval()
  const read = blockReader(model, (tokens: Tensor, readBlock) =>
    readBlock(tokens).layers.flatMap(({ spans }) =>
      spans ? { spans: ops.slice(spans.spans, [-mem_sz], 1), mask: spans.mask } : [],
    ),
  )
  const memory = new CarriedMemory(model, 1)
  const spans: number[][] = model.layers.map(() => [])
  const lengths: number[][] = []
  let masks: Matrix[] = []
  try {
    for (let start = 0; start + mem_sz <= numbers.length; start += mem_sz) {
      const data = numbers.slice(start, start + mem_sz)
      const { result, next } = await read({ dtype: 'int32', shape: [1, mem_sz], data } as never, memory.memories)
      memory.advance(next)
      lengths.push(memory.lengths)
      for (const [layer, found] of result.entries()) spans[layer]?.push(...toNumbers(found.spans.array.data))
      masks = result.map(({ mask }, layer) => {
        const [, height, width] = mask.sizes(3)
        return { values: toNumbers(mask.array.data), width, height, caption: `layer ${layer}` }
      })
    }
  } finally {
    await read.compiled.release()
  }
  return { spans, lengths, masks }
}

/** Which characters of a text are kept how long. */
export function spanSection(model: ExpireSpan, facts: CharacterFacts, numbers: Int32Array, read: ReadText): Section {
  const { mem_sz, attn_lim } = model.config
  const texts = read.spans.map(
    (spans, layer): ShadedText => ({
      kind: 'shaded',
      title: `Layer ${layer}`,
      caption: `On average ${Math.round(mean(spans))} steps; the full shade is ${attn_lim}.`,
      pieces: spans.map((value, i) => ({ text: decodeCharacters(numbers.slice(i, i + 1), facts), value })),
      most: attn_lim,
    }),
  )
  const longest: Table = {
    kind: 'table',
    title: 'Characters and their spans',
    caption: 'Mean span over all layers, longest first, of characters that occur at least twice in the passage.',
    columns: ['character', 'times', 'mean span'],
    rows: characterAverages(numbers, read.spans).map(({ number, times, span }) => [
      JSON.stringify(decodeCharacters([number], facts)),
      times,
      Math.round(span),
    ]),
  }
  const masks: HeatmapGrid = {
    kind: 'heatmaps',
    title: 'The mask of the last block',
    caption: `Rows: its ${mem_sz} tokens; columns: memories, the oldest first, and the block. Red: seen, white: expired.`,
    scale: 'shared',
    size: 480,
    matrices: read.masks,
  }
  return {
    title: 'What is kept how long',
    intro: 'The stronger the shade of a character, the longer the layer wants to remember it.',
    figures: [...texts, longest, masks],
  }
}

const shownBlocks = 8

/** The same of the beginning of the test text. */
export async function explainSpans(
  model: AnyModel,
  facts: CharacterFacts,
  test: Dataset<StreamFields>,
): Promise<Section[]> {
  if (!(model instanceof ExpireSpan)) return []
  const numbers = await firstRow(test, shownBlocks * model.config.mem_sz)
  return [spanSection(model, facts, numbers, await readText(model, numbers))]
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

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
