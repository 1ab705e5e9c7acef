/** Two processes train recipes as one does. They are threads here; `test/cli/distributed.test.ts` has real ones. */
import { Worker } from 'node:worker_threads'
import { beforeAll, expect, test } from 'vitest'
import type { NDArray } from '../../../src/tensor/dtype.ts'
import type { MetricsLine } from '../../../src/train/store.ts'

interface Trained {
  readonly losses: readonly MetricsLine[]
  readonly evaluations: readonly MetricsLine[]
  readonly tensors: ReadonlyMap<string, NDArray>
}

interface Case {
  readonly recipe: string
  readonly set: readonly string[]
  readonly steps: number
  /** Train to here first, then begin anew from the checkpoint. */
  readonly stopAt?: number
}

// With Adam a gradient of almost 0, which is only rounding, moves a weight as far as any other.
const sgd = ['optimizer.name=sgd', 'optimizer.lr=0.1', 'optimizer.warmup_steps=0']
const mixer = ['model.hidden_dim=16', 'model.num_blocks=1', 'model.tokens_mlp_dim=8', 'model.channels_mlp_dim=16']
const fnet = [
  'data.train_examples=64',
  'data.test_examples=8',
  'data.max_seq_length=64',
  'data.min_length=8',
  'model.num_layers=1',
]
const bits = [
  'data.n=3',
  'data.train_examples=64',
  'data.test_examples=8',
  'model.embedding_size=16',
  'model.n_layer=1',
  'model.n_head=2',
]
const batchNorm = [
  'model.network=resnet',
  'model.layers=[1]',
  'model.stem_channels=8',
  'model.base_channels=4',
  'train.batch_size=7',
]

const cases: Record<string, Case> = {
  'mixer, averaged, uneven': {
    recipe: 'mixer/mnist',
    set: [...mixer, ...sgd, 'train.batch_size=7', 'optimizer.ema_decay=0.9', 'optimizer.clip_norm=0.1'],
    steps: 3,
  },
  'fnet, uneven': { recipe: 'fnet/listops', set: [...fnet, ...sgd, 'train.batch_size=5'], steps: 3 },
  'batch norm, uneven': { recipe: 'involution/images', set: [...batchNorm, ...sgd], steps: 2 },
  'with dropout': { recipe: 'frozen-transformer/bit-xor', set: [...bits, 'train.batch_size=8'], steps: 6 },
  'with dropout, resumed': {
    recipe: 'frozen-transformer/bit-xor',
    set: [...bits, 'train.batch_size=8'],
    steps: 6,
    stopAt: 3,
  },
}

const results = new Map<string, { readonly together: Trained; readonly alone: Trained }>()

beforeAll(async () => {
  const capacity = 2 ** 22
  const board = { size: 2, capacity, arrived: new SharedArrayBuffer(8), places: new SharedArrayBuffer(2 * capacity) }
  const threads = [0, 1].map((rank) => {
    const url = new URL('recipes-thread.js', import.meta.url)
    return new Worker(url, { workerData: { board, rank, cases: Object.values(cases) } })
  })
  const [found] = await Promise.all(
    threads.map(
      (thread) =>
        new Promise<{ together: Trained; alone: Trained }[]>((resolve, reject) => {
          thread.once('message', resolve)
          thread.once('error', reject)
        }),
    ),
  )
  for (const [i, name] of Object.keys(cases).entries()) {
    const each = found?.[i]
    if (each) results.set(name, each)
  }
  await Promise.all(threads.map((thread) => thread.terminate()))
}, 180_000)

function resultOf(name: string): { readonly together: Trained; readonly alone: Trained } {
  const result = results.get(name)
  if (!result) throw new Error(`no result of ${name}`)
  return result
}

/** The largest difference between the numbers of two lists of lines. */
function difference(a: readonly MetricsLine[], b: readonly MetricsLine[]): number {
  const differences = a.flatMap((line, i) =>
    Object.entries(line).flatMap(([name, value]) =>
      name === 'seconds' || name === 'type' ? [] : [Math.abs(Number(value) - Number(b[i]?.[name]))],
    ),
  )
  return Math.max(...differences)
}

test.each(Object.keys(cases).filter((name) => !name.includes('dropout')))(
  '%s: as one process with the whole batch',
  (name) => {
    const { together, alone } = resultOf(name)
    expect(together.losses.length).toBe(cases[name]?.steps)
    expect(difference(together.losses, alone.losses)).toBeLessThan(1e-5)
    expect(difference(together.evaluations, alone.evaluations)).toBeLessThan(1e-5)
    for (const [tensor, { data }] of alone.tensors) {
      const own = together.tensors.get(tensor)?.data ?? []
      const off = Array.from(data as ArrayLike<unknown>, (value, i) => Math.abs(Number(value) - Number(own[i])))
      expect(Math.max(...off), tensor).toBeLessThan(1e-5)
    }
  },
)

test('random numbers differ between the processes', () => {
  const { together, alone } = resultOf('with dropout')
  expect(difference(together.losses, alone.losses)).toBeGreaterThan(1e-4)
})

test('a resumed training continues bit for bit', () => {
  const [whole, resumed] = [resultOf('with dropout').together, resultOf('with dropout, resumed').together]
  expect(difference(resumed.losses, whole.losses)).toBe(0)
  expect([...resumed.tensors.keys()]).toEqual([...whole.tensors.keys()])
  for (const [name, { data }] of whole.tensors) expect(resumed.tensors.get(name)?.data, name).toEqual(data)
})
