/** The addendum: which memories learn anything. d loss / d e of every memory, of the task and of the span loss in both its forms. */
import { z } from 'zod'
import { gradient as gradientOf } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { Report, ScatterPlot, Table } from '../../../report/figures.ts'
import { toNumbers } from '../../../tensor/dtype.ts'
import { manualSeed } from '../../../tensor/random-state.ts'
import { type Tensor, tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { deriveSeed, Generator } from '../../../util/random.ts'
import { defineJob } from '../../define.ts'
import type { LayerMemory } from '../attention.ts'
import type { Memories } from '../carried.ts'
import type { ExpireSpanConfig } from '../config.ts'
import type { ExpiringMemory } from '../expire-span.ts'
import { rampPlot } from '../explain.ts'
import { emptyMemory, forget, type StoredMemory } from '../memory.ts'
import { ExpireSpan } from '../model.ts'
import { corridor } from '../tasks/corridor.ts'
import { drawsOf, type QuestionText } from '../tasks/text.ts'

const config = z.strictObject({
  attn_lim: whole.default(128).describe('maximum span'),
  mem_sz: whole.default(16).describe('tokens of a block'),
  ramp: z.number().positive().default(16).describe('steps in which a memory fades out'),
  span_loss: z.number().positive().default(1e-3).describe('what remembering costs'),
  blocks: whole.default(12).describe('blocks that are read; gradients are of the last one'),
  rows: whole.default(4).describe('texts that are read at once'),
})
type GradientSettings = z.infer<typeof config>

/** One memory of a layer at the last block. */
export interface MemoryGradient {
  readonly layer: number
  /** Steps before the first query of the block; not positive: it is of the block itself. */
  readonly age: number
  /** e - age: what is left of its span at the first query. */
  readonly remaining: number
  /** d / d e of the task's loss. */
  readonly task: number
  /** Of the span loss of the official code. */
  readonly ramp: number
  /** Of the span loss of the paper's formula. */
  readonly every: number
}

const sizes = { hid_sz: 32, inner_hid_sz: 64, nlayers: 2, nheads: 2, head_dim: 0, dropout: 0, pre_norm: true } as const
const world = { colors: 2, min_length: 3, max_length: 60, log_lengths: false, views: 10 } as const

/** Two models of equal weights, whose spans differ from memory to memory, one for each form of the span loss. */
function twins({ attn_lim, mem_sz, ramp, span_loss }: GradientSettings, seed: number) {
  const common: ExpireSpanConfig = {
    ...sizes,
    attn_lim,
    mem_sz,
    vocab_sz: corridor.names(world).length,
    expire_span: true,
    expire_span_loss: span_loss,
    expire_span_ramp: ramp,
    expire_span_init_percentage: 0.4,
    expire_span_noisy: false,
    expire_span_pre_div: 1,
    expire_span_layerdrop: 0,
  }
  manualSeed(seed)
  const first = new ExpireSpan(common)
  const random = new Generator(deriveSeed(seed, 'span predictors'))
  for (const [name, variable] of first.variables())
    if (name.endsWith('span_predictor.weight')) variable.set(random.normal(sizes.hid_sz).map((x) => x / 4))
  const second = new ExpireSpan({ ...common, span_regulariser: 'every' })
  second.loadStateDict(first.stateDict())
  return { ramp: first, every: second }
}

/** Reads the texts to the last block, with nothing deleted, so that also what has expired is there; then its gradients. */
export async function memoryGradients(settings: GradientSettings, seed: number): Promise<MemoryGradient[]> {
  const { mem_sz, blocks, rows } = settings
  const models = twins(settings, seed)
  const texts = Array.from({ length: rows }, (_, row) =>
    corridor.generate(blocks * mem_sz + 1, drawsOf(deriveSeed(seed, `row ${row}`)), world),
  )
  const axes = models.ramp.layers.map((_, layer) => models.ramp.dynamicAxes(layer))
  const run = compile(
    (tokens: Tensor, targets: Tensor, memories: ExpiringMemory[]) => {
      const official = models.ramp.forward(tokens, memories)
      const paper = models.every.forward(tokens, memories)
      const spansOf = (block: typeof official) => block.layers.flatMap(({ spans }) => spans ?? [])
      // Of each layer's own span loss alone: that of a later layer also depends on what earlier ones let through.
      const ofSpanLoss = (block: typeof official): Tensor[] =>
        spansOf(block).flatMap(({ spans, auxLoss }) => gradientOf(ops.mean(auxLoss), [spans]))
      const loss = ops.nllLoss(ops.transpose(official.logProbs), targets)
      return {
        memories: official.memories,
        remaining: spansOf(official).map(({ remaining }) => remaining),
        task: gradientOf(
          loss,
          spansOf(official).map(({ spans }) => spans),
        ),
        ramp: ofSpanLoss(official),
        every: ofSpanLoss(paper),
      }
    },
    { dynamic: [undefined, undefined, axes] as never },
  )
  let memories: Memories = models.ramp.layers.map(() => emptyMemory(rows, models.ramp.config))
  const found: MemoryGradient[] = []
  try {
    for (let block = 0; block < blocks; block++) {
      const [tokens, targets] = [0, 1].map((ahead) => blockOf(texts, block * mem_sz + ahead, mem_sz)) as [
        Tensor,
        Tensor,
      ]
      const result = await run(tokens, targets, memories as unknown as LayerMemory[] as ExpiringMemory[])
      const stored = result.memories.map(
        ({ hidden, ages }): StoredMemory => ({ hidden: hidden.array, ages: ages.array }),
      )
      if (block === blocks - 1) {
        for (const [layer, { ages }] of stored.entries()) {
          const column = (tensors: readonly Tensor[]): number[] => {
            const found = tensors[layer]
            return found ? toNumbers(found.array.data) : []
          }
          const [remaining, task, ramp, every] = [result.remaining, result.task, result.ramp, result.every].map(column)
          for (const [i, age] of toNumbers(ages.data).entries())
            found.push({
              layer,
              age,
              remaining: remaining?.[i] ?? Number.NaN,
              task: task?.[i] ?? Number.NaN,
              ramp: ramp?.[i] ?? Number.NaN,
              every: every?.[i] ?? Number.NaN,
            })
        }
      }
      memories = stored.map((memory) => forget(memory, undefined, { ...models.ramp.config, attn_lim: blocks * mem_sz }))
    }
  } finally {
    await run.release()
  }
  return found
}

function blockOf(texts: readonly QuestionText[], start: number, length: number): Tensor {
  return tensor(
    texts.map(({ tokens }) => tokens.slice(start, start + length)),
    'int64',
  )
}

const stages = ['whole for every query', 'fading for some query', 'gone for every query'] as const

/** What the queries of the block see of a memory. */
function stageOf({ remaining }: MemoryGradient, { mem_sz, ramp }: GradientSettings): (typeof stages)[number] {
  if (remaining >= mem_sz - 1) return stages[0]
  return remaining <= -ramp ? stages[2] : stages[1]
}

/** The page. */
function gradientReport(found: readonly MemoryGradient[], settings: GradientSettings): Report {
  const { ramp, mem_sz, span_loss } = settings
  const cloud = (title: string, caption: string, value: (memory: MemoryGradient) => number): ScatterPlot => ({
    kind: 'scatter',
    title,
    caption,
    x: { label: 'what is left of the span at the first query of the block' },
    y: { label: 'd loss / d e' },
    series: [0, 1].map((layer) => ({
      name: `layer ${layer}`,
      points: found
        .filter((memory) => memory.layer === layer)
        .map((memory) => ({ x: memory.remaining, y: value(memory) })),
    })),
  })
  const counts: Table = {
    kind: 'table',
    title: 'Which memories learn',
    caption: 'Memories of the last block with a gradient that is not zero, by what its queries see of them.',
    columns: ['memory', 'memories', 'task', 'span loss, official code', "span loss, the paper's formula"],
    rows: stages.map((stage) => {
      const those = found.filter((memory) => stageOf(memory, settings) === stage)
      const learning = (value: (memory: MemoryGradient) => number): number =>
        those.filter((memory) => value(memory) !== 0).length
      return [
        stage,
        those.length,
        learning(({ task }) => task),
        learning((memory) => memory.ramp),
        learning(({ every }) => every),
      ]
    }),
  }
  return {
    title: 'Expire-Span: which memories learn',
    subtitle: 'd loss / d e, the gradient of every span, of the task and of the span loss in both its forms',
    summary: [],
    sections: [
      {
        title: 'Only on the ramp',
        intro: `A span is a number e; the loss reaches it through the mask. A model with random span predictors read corridors; nothing was deleted, so that what has expired is there to be looked at. In blocks of ${mem_sz} tokens a memory fades for some query where between ${-ramp} and ${mem_sz - 1} steps are left at the first.`,
        figures: [
          rampPlot(ramp),
          cloud('The task', 'Zero for memories that are whole, and for those that are gone.', ({ task }) => task),
          cloud(
            'The span loss of the official code',
            `Charged while a memory fades: ${span_loss} for each query that sees it fading, divided by ramp, block and rows.`,
            (memory) => memory.ramp,
          ),
          cloud(
            "The span loss of the paper's formula",
            "alpha sum e / T, charged for the block's own memories, each once, when it is made: for its whole span, however long it is. Older ones were charged in their own block.",
            ({ every }) => every,
          ),
          counts,
        ],
      },
    ],
    footer: 'Written by tenfold run expire-span/gradient.',
  }
}

export const gradient = defineJob({
  name: 'gradient',
  summary: "the addendum: d loss / d e of every memory, of the task, the official span loss, and the paper's",
  config,
  run: async (settings, { seed }) => gradientReport(await memoryGradients(settings, seed), settings),
})
