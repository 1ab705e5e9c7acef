/** Where the time of a compiled function goes: by kernel of the runtime and by line of the model. */
import type { KernelTime } from '../runtime/session.ts'
import { describeOrigin } from '../tensor/origin.ts'
import type { GraphNode } from '../tensor/tensor.ts'
import { percent } from '../util/words.ts'

/** What one kernel does for one line of the model. */
export interface ProfileRow {
  /** ONNX operator. */
  readonly kernel: string
  /** Module path and source line, like `Mixer.blocks.0.mlp_tokens.fc1 (model.ts:33)`; gradients count where the forward pass is. */
  readonly place: string
  /** ms of one call. */
  readonly milliseconds: number
  /** Executions in one call. */
  readonly count: number
}

export interface Profile {
  /** Calls that were measured. */
  readonly calls: number
  /** ms of one call inside of kernels. */
  readonly milliseconds: number
  /** Share of it in matrix products and convolutions: 0 to 1. */
  readonly products: number
  /** Slowest first. */
  readonly rows: readonly ProfileRow[]
}

const productKernels = new Set(['MatMul', 'FusedMatMul', 'Gemm', 'FusedGemm', 'Conv', 'ConvTranspose', 'Einsum'])

function placeOf(node: GraphNode | undefined): string {
  if (!node) return "the runtime's optimizer"
  return describeOrigin(node.origin) || node.op.name
}

/** Adds up what the runtime measured in a number of calls. */
export function summarizeKernels(
  kernels: readonly KernelTime[],
  originOf: (name: string) => GraphNode | undefined,
  calls: number,
): Profile {
  const rows = new Map<string, { kernel: string; place: string; milliseconds: number; count: number }>()
  for (const { node, op, microseconds } of kernels) {
    const place = placeOf(originOf(node))
    const row = rows.get(`${op}\n${place}`) ?? { kernel: op, place, milliseconds: 0, count: 0 }
    row.milliseconds += microseconds / 1000 / calls
    row.count += 1 / calls
    rows.set(`${op}\n${place}`, row)
  }
  // Shares of a call add up to whole numbers but for rounding.
  for (const row of rows.values()) row.count = Math.round(row.count)
  const sorted = [...rows.values()].sort((a, b) => b.milliseconds - a.milliseconds)
  const sum = (chosen: readonly ProfileRow[]): number => chosen.reduce((total, row) => total + row.milliseconds, 0)
  const total = sum(sorted)
  const products = sum(sorted.filter(({ kernel }) => productKernels.has(kernel)))
  return { calls, milliseconds: total, products: total > 0 ? products / total : 0, rows: sorted }
}

/** Time and executions added up by one property of the rows, slowest first. */
export function groupRows(
  rows: readonly ProfileRow[],
  by: 'kernel' | 'place',
): { readonly name: string; readonly milliseconds: number; readonly count: number }[] {
  const groups = new Map<string, { name: string; milliseconds: number; count: number }>()
  for (const row of rows) {
    const group = groups.get(row[by]) ?? { name: row[by], milliseconds: 0, count: 0 }
    group.milliseconds += row.milliseconds
    group.count += row.count
    groups.set(row[by], group)
  }
  return [...groups.values()].sort((a, b) => b.milliseconds - a.milliseconds)
}

/** A profile as a text of two tables: by kernel, and by line of the model. */
export function formatProfile({ calls, milliseconds, products, rows }: Profile): string {
  const table = (by: 'kernel' | 'place'): string[] =>
    groupRows(rows, by).map(
      ({ name, milliseconds: time, count }) =>
        `${time.toFixed(3).padStart(10)} ms ${((100 * time) / milliseconds).toFixed(1).padStart(5)} % ${count.toFixed(0).padStart(5)} x  ${name}`,
    )
  return [
    `${milliseconds.toFixed(2)} ms a step inside of kernels, the mean of ${calls} steps; ${percent(products)} in matrix products and convolutions`,
    '',
    'by kernel',
    ...table('kernel'),
    '',
    'by line of the model (gradients count where the forward pass is)',
    ...table('place'),
    '',
  ].join('\n')
}
