/**
 * One program for all lengths beside one for each: `node scripts/forms.js dynamic-axes`, and for memory, each in a process of its own,
 * `node scripts/forms.js dynamic-axes one` and `... each`. Decision: docs/decisions/052.
 */
import { type Compiled, compile } from '../../src/compile/compile.ts'
import { Adam } from '../../src/optim/index.ts'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { transformerLm } from '../workloads/transformer-lm.ts'
import { threads } from './measure.ts'

type Step = Compiled<[{ ids: Tensor; next: Tensor }], Tensor>

const lengths = [16, 31, 64, 97, 128, 200, 256] as const
const axes = { ids: { 1: 'length' }, next: { 1: 'length' } }

/** A training step and, where `isDynamic`, one program of it for all lengths. */
function trainingStep(isDynamic: boolean): Step {
  manualSeed(1)
  const { model, loss } = transformerLm.build()
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 })
  return compile(
    (batch: { ids: Tensor; next: Tensor }) => {
      const value = loss(batch)
      optimizer.minimize(value)
      return value
    },
    { threads, ...(isDynamic && { dynamic: [axes] }) },
  )
}

/** An inference and, where `isDynamic`, one program of it for all lengths. */
function inference(isDynamic: boolean): Step {
  manualSeed(1)
  const { model, forward } = transformerLm.build()
  model.eval()
  return compile(({ ids }: { ids: Tensor; next: Tensor }) => forward({ ids }), {
    threads,
    ...(isDynamic && { dynamic: [{ ids: axes.ids }] }),
  })
}

function batchOf(length: number): { ids: NDArray; next: NDArray } {
  const make = (shift: number): NDArray => {
    const data = Int32Array.from({ length: 8 * length }, (_, i) => (i * 31 + shift) % 256)
    return { dtype: 'int32', shape: [8, length], data }
  }
  return { ids: make(0), next: make(1) }
}

async function timeOf(body: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await body()
  return performance.now() - start
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

async function compare(title: string, make: (isDynamic: boolean) => Step): Promise<void> {
  console.log(`${title}: ms of the first call, and median (best) ms of the calls that follow`)
  const [one, each] = [make(true), make(false)]
  for (const length of lengths) {
    const batch = batchOf(length)
    const first = { each: await timeOf(() => each(batch)), one: await timeOf(() => one(batch)) }
    const times: Record<'one' | 'each', number[]> = { one: [], each: [] }
    for (let i = 0; i < 9; i++) {
      times.each.push(await timeOf(() => each(batch)))
      times.one.push(await timeOf(() => one(batch)))
    }
    const text = (name: 'one' | 'each'): string =>
      `${name} ${first[name].toFixed(0)}, ${median(times[name]).toFixed(1)} (${Math.min(...times[name]).toFixed(1)})`
    const ratio = Math.min(...times.one) / Math.min(...times.each)
    console.log(`  ${length} tokens: ${text('each')}; ${text('one')}; ratio of the best ${ratio.toFixed(2)}`)
  }
  await Promise.all([one.release(), each.release()])
}

/** What a process needs at its peak that trains on batches of all lengths. */
async function memory(isDynamic: boolean): Promise<void> {
  const step = trainingStep(isDynamic)
  for (let round = 0; round < 2; round++) for (const length of lengths) await step(batchOf(length))
  console.log(`peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB, programs ${step.traces.length}`)
}

const [mode] = process.argv.slice(2)
if (mode === 'one' || mode === 'each') await memory(mode === 'one')
else {
  await compare('training step of transformer-lm', trainingStep)
  await compare('inference of transformer-lm', inference)
}
