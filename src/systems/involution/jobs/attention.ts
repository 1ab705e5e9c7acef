/** Self-attention as a member of the family (paper, section 4.2): an involution with kernels softmax(q k); what each of them costs. */
import { z } from 'zod'
import { gradient } from '../../../autodiff/gradient.ts'
import { compile } from '../../../compile/compile.ts'
import * as ops from '../../../ops/index.ts'
import type { LinePlot, Report, Table } from '../../../report/figures.ts'
import { threadOptions } from '../../../tasks/experiment.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { whole } from '../../../train/settings.ts'
import { UsageError } from '../../../util/errors.ts'
import { Generator } from '../../../util/random.ts'
import { defineJob, type JobContext } from '../../define.ts'
import { measureApart } from '../../measurement.ts'
import { odd } from '../settings.ts'
import { type CostTask, costResult, type LayerName, layerNames, layerTitles, multiplyAdds } from './layer-cost.ts'

const config = z.strictObject({
  channels: whole.multipleOf(16).default(64).describe('of the features that both mix'),
  heads: whole.default(4).describe('of attention: groups of the involution'),
  kernel_size: odd.default(7).describe('K: side of the window'),
  side: whole.default(16).describe('height and width at which both are compared'),
  sides: z.array(whole).default([14, 28, 56]).describe('heights and widths at which costs are measured'),
  kernel_sizes: z.array(odd).default([3, 5, 7, 9]).describe('K, at the second of the sides'),
  batch: whole.default(4).describe('examples at once'),
  calls: whole.default(3).describe('measured calls, at least; the fastest counts'),
})
type AttentionSettings = z.infer<typeof config>

/** A query, a key and a value for each pixel, [N, C, H, W] each. */
export interface Parts {
  readonly query: Tensor
  readonly key: Tensor
  readonly value: Tensor
}

/** The windows of [N, C, H, W]: [N, heads, C / heads, K * K, H, W]; beyond the border 0. */
function windowsOf(x: Tensor, heads: number, kernel: number): Tensor {
  const [n, channels, height, width] = x.sizes(4)
  const flat = ops.unfold(x, kernel, { padding: (kernel - 1) / 2 })
  return ops.reshape(flat, [n, heads, channels / heads, kernel ** 2, height, width])
}

/** softmax(q k / sqrt d) over the window of each pixel: [N, heads, K, K, H, W]. Places beyond the border have the key 0, as in the paper's comparison. */
function attentionKernels({ query, key }: Parts, heads: number, kernel: number): Tensor {
  const [n, channels, height, width] = query.sizes(4)
  const depth = channels / heads
  const own = ops.reshape(query, [n, heads, depth, 1, height, width])
  const scores = ops.div(ops.sum(ops.mul(own, windowsOf(key, heads, kernel)), 2), Math.sqrt(depth))
  return ops.reshape(ops.softmax(scores, 2), [n, heads, kernel, kernel, height, width])
}

/** Local self-attention written out: a query against the keys of its window, their softmax times the values. */
export function localAttention(parts: Parts, heads: number, kernel: number): Tensor {
  const { query, key, value } = parts
  const [n, channels, height, width] = query.sizes(4)
  const [depth, pixels] = [channels / heads, height * width]
  // One attention for each pixel and head: [N * pixels, heads, 1, d] against [N * pixels, heads, K * K, d].
  const rows = (x: Tensor): Tensor =>
    ops.reshape(
      ops.permute(ops.reshape(windowsOf(x, heads, kernel), [n, heads, depth, kernel ** 2, pixels]), [0, 4, 1, 3, 2]),
      [n * pixels, heads, kernel ** 2, depth],
    )
  const own = ops.reshape(ops.permute(ops.reshape(query, [n, heads, depth, pixels]), [0, 3, 1, 2]), [
    n * pixels,
    heads,
    1,
    depth,
  ])
  const found = ops.scaledDotProductAttention(own, rows(key), rows(value)) // [N * pixels, heads, 1, d]
  return ops.reshape(ops.permute(ops.reshape(found, [n, pixels, channels]), [0, 2, 1]), [n, channels, height, width])
}

/** The same as an involution of the values. */
export function attentionAsInvolution(parts: Parts, heads: number, kernel: number): Tensor {
  return ops.involution(parts.value, attentionKernels(parts, heads, kernel), { padding: (kernel - 1) / 2 })
}

const difference = z.strictObject({ output: z.number(), gradients: z.number(), largest: z.number() })

/** How far both are apart: the greatest differences of outputs and of gradients, and the greatest output. */
async function differenceOf(settings: AttentionSettings, { seed, threads }: JobContext) {
  const { batch, channels, heads, kernel_size, side } = settings
  const random = new Generator(seed)
  const make = (): NDArray => ({
    dtype: 'float32',
    shape: [batch, channels, side, side],
    data: random.normal(batch * channels * side * side),
  })
  const run = compile((query: Tensor, key: Tensor, value: Tensor, weight: Tensor) => {
    const parts = { query, key, value }
    const results = [localAttention, attentionAsInvolution].map((form) => {
      const output = form(parts, heads, kernel_size)
      return { output, gradients: gradient(ops.sum(ops.mul(output, weight)), [query, key, value]) }
    })
    const far = (a: Tensor | undefined, b: Tensor | undefined): Tensor =>
      a && b ? ops.max(ops.abs(ops.sub(a, b))) : ops.zeros([])
    const [first, second] = results
    return {
      output: far(first?.output, second?.output),
      gradients: ops.max(ops.stack([0, 1, 2].map((i) => far(first?.gradients[i], second?.gradients[i])))),
      largest: first ? ops.max(ops.abs(first.output)) : ops.zeros([]),
    }
  }, threadOptions({ threads }))
  const { output, gradients, largest } = await run(make(), make(), make(), make())
  await run.release()
  return { output: output.item(), gradients: gradients.item(), largest: largest.item() }
}

interface Measured {
  readonly task: CostTask
  readonly milliseconds: number | undefined
  readonly mebibytes: number | undefined
}

const keptCost = z.object({ result: costResult.optional() })

async function measure(settings: AttentionSettings, context: JobContext): Promise<Measured[]> {
  const { channels, heads, kernel_size, sides, kernel_sizes, batch, calls } = settings
  const base = { channels, heads, batch, calls, ...(context.threads !== undefined && { threads: context.threads }) }
  const atSides = sides.map((side) => ({ side, kernel: kernel_size }))
  const middle = sides[Math.min(1, sides.length - 1)] ?? settings.side
  const shapes = [
    ...atSides,
    ...kernel_sizes.map((kernel) => ({ side: middle, kernel })).filter(({ kernel }) => kernel !== kernel_size),
  ]
  const measured: Measured[] = []
  for (const layer of layerNames) {
    for (const { side, kernel } of shapes) {
      if (layer === 'attention' && kernel !== kernel_size) continue // has no window
      context.signal?.throwIfAborted()
      const task: CostTask = { ...base, layer, side, kernel }
      const name = `cost/${layer}-${side}-k${kernel}`
      const { part, wasThere } = await context.keep(name, task, keptCost, async () => {
        const result = await measureApart(import.meta.url, 'layer-cost-worker', task, costResult, context.signal)
        return { ...(result && { result }) }
      })
      const { milliseconds, peakMebibytes: mebibytes } = part.result ?? {}
      context.progress(`${name.padEnd(36)} ${milliseconds?.toFixed(1) ?? '-'} ms${wasThere ? '  kept' : ''}`, {
        part: name,
        kept: wasThere,
        milliseconds: milliseconds ?? null,
      })
      measured.push({ task, milliseconds, mebibytes })
    }
  }
  return measured
}

async function run(settings: AttentionSettings, context: JobContext): Promise<Report> {
  const { batch, channels, heads, kernel_size, side } = settings
  if (channels % heads !== 0) throw new UsageError(`channels must be a multiple of heads = ${heads}, found ${channels}`)
  const identity = { batch, channels, heads, kernel_size, side, seed: context.seed }
  const { part: apart } = await context.keep('difference', identity, difference, () => differenceOf(settings, context))
  const measured = await measure(settings, context)
  return attentionReport(apart, measured, settings)
}

function costPlot(measured: readonly Measured[], of: 'milliseconds' | 'macs', settings: AttentionSettings): LinePlot {
  const value = ({ task, milliseconds }: Measured): number =>
    of === 'macs' ? multiplyAdds(task) : (milliseconds ?? Number.NaN)
  return {
    kind: 'lines',
    title: of === 'macs' ? 'Multiply-adds' : 'Time forward',
    x: { label: 'height and width', log: true },
    y: { label: of === 'macs' ? 'multiply-adds of one picture' : `ms, batch ${settings.batch}`, log: true },
    series: layerNames.map((layer) => ({
      name: layerTitles[layer],
      points: measured
        .filter(({ task }) => task.layer === layer && task.kernel === settings.kernel_size)
        .map((each) => ({ x: each.task.side, y: value(each) })),
    })),
  }
}

function costTable(measured: readonly Measured[]): Table {
  const told = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? 'not measured'
  return {
    kind: 'table',
    title: 'Every measurement',
    caption:
      'Forward, with everything that makes kernels, queries and keys. Memory: peak of the process less that before the layer was made.',
    columns: ['layer', 'side', 'K', 'multiply-adds of a picture', 'ms', 'MiB'],
    rows: measured.map(({ task, milliseconds, mebibytes }) => [
      layerTitles[task.layer as LayerName],
      task.side,
      task.layer === 'attention' ? 'all' : String(task.kernel),
      multiplyAdds(task),
      told(milliseconds, 1),
      told(mebibytes, 0),
    ]),
  }
}

function attentionReport(
  apart: z.infer<typeof difference>,
  measured: readonly Measured[],
  settings: AttentionSettings,
): Report {
  const { channels, heads, kernel_size, batch, side } = settings
  return {
    title: 'involution / attention',
    subtitle: `Self-attention in windows of ${kernel_size} x ${kernel_size} as an involution: ${channels} channels, ${heads} heads`,
    summary: [
      {
        label: 'greatest difference of outputs',
        value: apart.output.toExponential(1),
        note: `outputs up to ${apart.largest.toFixed(1)}`,
      },
      { label: 'of gradients', value: apart.gradients.toExponential(1), note: 'query, key and value' },
    ],
    sections: [
      {
        title: 'The same numbers',
        figures: [
          {
            kind: 'text',
            title: 'In words',
            paragraphs: [
              `An involution with kernels H = softmax(q k / sqrt d) of the pixel and its window is local self-attention: groups are heads. On random maps of ${batch} x ${channels} x ${side} x ${side} both, computed in different ways (batched products of each window; \`ops.involution\`), differ by ${apart.output.toExponential(1)} at most, gradients by ${apart.gradients.toExponential(1)}: rounding.`,
              'Beyond the border the involution has zeros for values; here the window of attention has keys and values of 0 there, too. An involution makes its kernels of one pixel by two small layers: it needs no queries, keys and positions, and its kernels know where in the window a value stands.',
            ],
          },
        ],
      },
      {
        title: 'What it costs',
        figures: [
          costPlot(measured, 'macs', settings),
          costPlot(measured, 'milliseconds', settings),
          costTable(measured),
        ],
      },
    ],
    footer: `Best of at least ${settings.calls} calls, each layer in a process of its own. Written by tenfold.`,
  }
}

export const attention = defineJob({
  name: 'attention',
  summary: 'local self-attention as an involution with kernels softmax(q k): the same numbers; costs side by side',
  config,
  run,
})
