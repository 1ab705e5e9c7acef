/** What a trained model remembers: how much in each layer, and which characters or tokens how long. */
import type { Dataset } from '../../data/dataset.ts'
import type { Figure, HeatmapGrid, LinePlot, Section, ShadedText, Table } from '../../report/figures.ts'
import { type CharacterFacts, decodeCharacters } from '../../tasks/language/characters.ts'
import { meanOrZero } from '../../util/vectors.ts'
import { kindTable } from './kinds.ts'
import { type AnyModel, ExpireSpan } from './model.ts'
import { type ReadText, readText } from './read-text.ts'
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

/** The mask of a memory as its span runs out. */
export function rampPlot(ramp: number): LinePlot {
  return {
    kind: 'lines',
    title: 'The ramp',
    caption: `How much of a memory is seen: all of it while something is left of its span, then less and less over ${ramp} steps. Only there does a change of the span change anything.`,
    x: { label: 'what is left of the span, in steps' },
    y: { label: 'mask' },
    series: [
      {
        name: 'mask',
        points: [-2 * ramp, -ramp, 0, ramp].map((x) => ({ x, y: Math.min(1, Math.max(0, x / ramp + 1)) })),
      },
    ],
  }
}

/** How the tokens of a text are called on a page. */
export interface TokenNames {
  /** One of them: `character`. */
  readonly unit: string
  /** As it stands in the running text. */
  readonly shown: (number: number) => string
  /** As it stands in a table. */
  readonly name: (number: number) => string
  /** Figures of its own, from the tokens as they are shown and their spans [layers][tokens]. */
  readonly more?: (shown: readonly string[], spans: readonly (readonly number[])[]) => readonly Figure[]
}

/** Characters stand beside each other, and in quotes in a table. */
export function characterTokens(facts: CharacterFacts): TokenNames {
  const shown = (number: number): string => decodeCharacters([number], facts)
  const name = (number: number): string => JSON.stringify(shown(number))
  return { unit: 'character', shown, name, more: (characters, spans) => [kindTable(characters, spans)] }
}

/** Tokens with names stand apart. */
export function spaced(names: readonly string[]): TokenNames {
  const name = (number: number): string => names[number] ?? String(number)
  return { unit: 'token', shown: (number) => `[${name(number)}] `, name }
}

/** Which tokens of a text are kept how long. */
export function spanSection(model: ExpireSpan, tokens: TokenNames, numbers: Int32Array, read: ReadText): Section {
  const { mem_sz, attn_lim, expire_span_ramp } = model.config
  const { unit, shown, name, more } = tokens
  const texts = read.spans.map((spans, layer): ShadedText => {
    const [average, most] = [meanOrZero(spans), Math.max(...spans)]
    return {
      kind: 'shaded',
      title: `Layer ${layer}`,
      caption: `On average ${Math.round(average)} steps, at most ${Math.round(most)}, which is the full shade; attn_lim is ${attn_lim}.`,
      pieces: spans.map((value, i) => ({ text: shown(numbers[i] ?? 0), value })),
      most,
    }
  })
  const longest: Table = {
    kind: 'table',
    title: `Each ${unit} and its spans`,
    caption: `Mean span, longest first, of each ${unit} that occurs at least twice in the passage.`,
    columns: [unit, 'times', 'all layers', ...read.spans.map((_, layer) => `layer ${layer}`)],
    rows: tokenAverages(numbers, read.spans).map(({ number, times, span, layers }) => [
      name(number),
      times,
      Math.round(span),
      ...layers.map(Math.round),
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
    intro: `The stronger the shade of a ${unit}, the longer the layer wants to remember it.`,
    figures: [
      ...texts,
      ...(more?.(Array.from(numbers, shown), read.spans) ?? []),
      longest,
      masks,
      rampPlot(expire_span_ramp),
    ],
  }
}

const shownBlocks = 8

/** The same of the beginning of the test text. */
export async function explainSpans(
  model: AnyModel,
  names: TokenNames,
  test: Dataset<StreamFields>,
  { clears = false }: { readonly clears?: boolean } = {},
): Promise<Section[]> {
  if (!(model instanceof ExpireSpan)) return []
  const { tokens, elapsed } = await firstRow(test, shownBlocks * model.config.mem_sz)
  return [spanSection(model, names, tokens, await readText(model, { tokens, ...(clears && { elapsed }) }))]
}

/** Mean spans of each token that occurs more than once, over all layers and in each, the longest first. */
function tokenAverages(numbers: Int32Array, spans: readonly (readonly number[])[]) {
  const places = new Map<number, number[]>()
  for (const [i, number] of numbers.entries()) {
    const at = places.get(number)
    if (at) at.push(i)
    else places.set(number, [i])
  }
  return [...places]
    .filter(([, at]) => at.length > 1)
    .map(([number, at]) => {
      const layers = spans.map((layer) => meanOrZero(at.map((i) => layer[i] ?? 0)))
      return { number, times: at.length, span: meanOrZero(layers), layers }
    })
    .sort((a, b) => b.span - a.span)
}
