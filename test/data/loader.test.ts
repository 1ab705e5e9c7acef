import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { arrayDataset, type Batch, mapDataset, subset } from '../../src/data/dataset.ts'
import { DataLoader, type LoaderState } from '../../src/data/loader.ts'
import { counting, numbers, told } from './support.ts'

/** The numbers of each batch, until the epoch ends or `limit` batches are taken. */
async function take(loader: DataLoader, limit = Number.POSITIVE_INFINITY): Promise<number[][]> {
  const batches: number[][] = []
  if (limit === 0) return batches
  for await (const batch of loader) {
    batches.push(numbers(batch, 'x'))
    if (batches.length >= limit) break
  }
  return batches
}

describe('parts of batches', () => {
  const options = { batchSize: 5, shuffle: true, seed: 3 }

  test('are disjoint, and together the whole batch; position and steps are those of whole batches', async () => {
    const whole = new DataLoader(counting(13), options)
    const parts = [0, 1, 2].map((rank) => whole.partFor({ rank, size: 3 }))
    const batches = await take(whole)
    const taken = await Promise.all(parts.map((part) => take(part)))
    expect(batches.map((_, i) => taken.flatMap((part) => part[i] ?? []))).toEqual(batches)
    expect(taken.map((part) => part.map(({ length }) => length))).toEqual([
      [1, 1, 1],
      [2, 2, 1],
      [2, 2, 1],
    ])
    for (const part of parts) {
      expect(part.stepsPerEpoch).toBe(3)
      expect(part.state()).toEqual({ epoch: 1, position: 0 })
    }
  })

  test('a batch with fewer examples than processes is refused', () => {
    const part = { rank: 0, size: 3 }
    expect(() => new DataLoader(counting(12), { ...options, part })).toThrow(
      'DataLoader: a batch of 2 cannot be divided among 3 processes',
    )
    expect(() => new DataLoader(counting(12), { ...options, part, dropLast: true })).not.toThrow()
    expect(() => new DataLoader(counting(12), { batchSize: 2, part })).toThrow('cannot be divided among 3 processes')
  })
})

describe('one epoch', () => {
  test('in order, the last batch smaller or left out', async () => {
    const loader = new DataLoader(counting(7), { batchSize: 3 })
    expect(loader.stepsPerEpoch).toBe(3)
    expect(await take(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]])
    expect(loader.state()).toEqual({ epoch: 1, position: 0 })
    const whole = new DataLoader(counting(7), { batchSize: 3, dropLast: true })
    expect(whole.stepsPerEpoch).toBe(2)
    expect(await take(whole)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    expect(whole.state()).toEqual({ epoch: 1, position: 0 })
  })

  test('shuffled: each example once, another order in every epoch, the same for the same seed', async () => {
    const loader = new DataLoader(counting(20), { batchSize: 6, shuffle: true, seed: 5 })
    const epochs = [(await take(loader)).flat(), (await take(loader)).flat()]
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()])
    expect(epochs[0]).not.toEqual(epochs[1])
    const again = new DataLoader(counting(20), { batchSize: 6, shuffle: true, seed: 5 })
    expect([(await take(again)).flat(), (await take(again)).flat()]).toEqual(epochs)
    const other = new DataLoader(counting(20), { batchSize: 6, shuffle: true, seed: 6 })
    expect((await take(other)).flat()).not.toEqual(epochs[0])
  })

  test('hands epoch and seed to the dataset', async () => {
    const seen: string[] = []
    const dataset = mapDataset(counting(4), (batch, _, { epoch, seed }) => {
      seen.push(`${epoch}/${seed}`)
      return batch
    })
    const loader = new DataLoader(dataset, { batchSize: 4, seed: 9n })
    await take(loader)
    await take(loader)
    expect(seen).toEqual(['0/9', '1/9'])
  })
})

describe('prefetch', () => {
  test('keeps the order although later batches are ready earlier', async () => {
    const loader = new DataLoader(
      counting(12, (first) => 12 - first),
      { batchSize: 2, prefetch: 3 },
    )
    expect((await take(loader)).flat()).toEqual([...Array(12).keys()])
  })

  test('asks for no more than the given number of batches ahead', async () => {
    for (const prefetch of [0, 1, 3]) {
      const dataset = counting(20)
      const loader = new DataLoader(dataset, { batchSize: 2, prefetch })
      let used = 0
      for await (const _ of loader) {
        used++
        expect(dataset.requested.length).toBe(Math.min(used + prefetch, 10))
      }
    }
  })

  test('a batch stays as it is while later ones are made', async () => {
    const data = Int32Array.from({ length: 40 }, (_, i) => i)
    const loader = new DataLoader(arrayDataset({ x: { dtype: 'int32', shape: [40], data } }), { batchSize: 4 })
    const held: Batch[] = []
    for await (const batch of loader) held.push(batch)
    expect(held.flatMap((batch) => numbers(batch, 'x'))).toEqual([...data])
  })

  test('an error comes when its batch is due, after the batches before it, and the position stays before it', async () => {
    const dataset = mapDataset(counting(10), (batch, indices) => {
      if (indices[0] === 4) throw new Error('no fourth example')
      return batch
    })
    const loader = new DataLoader(dataset, { batchSize: 2, prefetch: 4 })
    const seen: number[] = []
    const run = async () => {
      for await (const batch of loader) seen.push(...numbers(batch, 'x'))
    }
    await expect(run).rejects.toThrow('no fourth example')
    expect(seen).toEqual([0, 1, 2, 3])
    expect(loader.state()).toEqual({ epoch: 0, position: 4 })
  })
})

describe('resuming', () => {
  test('goes on exactly as the straight run, from any position, through JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          length: fc.integer({ min: 1, max: 30 }),
          batchSize: fc.integer({ min: 1, max: 7 }),
          shuffle: fc.boolean(),
          dropLast: fc.boolean(),
          prefetch: fc.nat(3),
          stop: fc.nat(40),
        }),
        async ({ length, stop, ...options }) => {
          fc.pre(!options.dropLast || length >= options.batchSize)
          const straight: number[][] = []
          const reference = new DataLoader(counting(length), { ...options, seed: 1 })
          while (straight.length < stop + 10) straight.push(...(await take(reference)))

          const first = new DataLoader(counting(length), { ...options, seed: 1 })
          const resumed: number[][] = []
          while (resumed.length < stop) resumed.push(...(await take(first, stop - resumed.length)))
          const state: LoaderState = JSON.parse(JSON.stringify(first.state()))
          const second = new DataLoader(counting(length), { ...options, seed: 1, prefetch: 0 })
          second.restore(state)
          while (resumed.length < stop + 10) resumed.push(...(await take(second)))
          expect(resumed.slice(0, stop + 10)).toEqual(straight.slice(0, stop + 10))
        },
      ),
      { seed: 3, numRuns: 60 },
    )
  })

  test('a loader that was broken off goes on by itself', async () => {
    const loader = new DataLoader(counting(8), { batchSize: 2, prefetch: 2 })
    expect(await take(loader, 1)).toEqual([[0, 1]])
    expect(loader.state()).toEqual({ epoch: 0, position: 2 })
    expect(await take(loader)).toEqual([
      [2, 3],
      [4, 5],
      [6, 7],
    ])
  })

  test('with another batch size every example is still seen once', async () => {
    const first = new DataLoader(counting(20), { batchSize: 3, shuffle: true })
    const seen = (await take(first, 3)).flat()
    const second = new DataLoader(counting(20), { batchSize: 4, shuffle: true, dropLast: true })
    second.restore(first.state())
    const rest = await take(second)
    expect(rest.map((batch) => batch.length)).toEqual([4, 4])
    expect(new Set([...seen, ...rest.flat()]).size).toBe(17)
    expect(second.state()).toEqual({ epoch: 1, position: 0 })
  })
})

test('says which option or state is wrong', async () => {
  expect(await told(() => new DataLoader(counting(3), { batchSize: 0 }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: batchSize must be a whole number of at least 1, found 0"`,
  )
  expect(await told(() => new DataLoader(counting(3), { batchSize: 1, prefetch: -1 }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: prefetch must be a whole number of at least 0, found -1"`,
  )
  expect(await told(() => new DataLoader(counting(3), { batchSize: 4, dropLast: true }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: an epoch has no batch: 3 examples, batchSize 4 | take a smaller batchSize, or leave out dropLast"`,
  )
  expect(await told(() => new DataLoader(counting(0), { batchSize: 4 }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: an epoch has no batch: 0 examples, batchSize 4 | the dataset is empty"`,
  )
  for (const [options, message] of [
    [undefined, 'batchSize must be a whole number of at least 1, found undefined'],
    [{ batchSize: 1, shuffle: 'no' }, 'shuffle must be true or false, found "no"'],
    [{ batchSize: 1, dropLast: 'false' }, 'dropLast must be true or false, found "false"'],
    [{ batchSize: 1, batch_size: 1 }, 'there is no option "batch_size" | here it is "batchSize"'],
    [{ batchSize: 1, suffle: true }, 'there is no option "suffle" | did you mean "shuffle"?'],
  ] as const)
    expect(await told(() => new DataLoader(counting(3), options as never))).toBe(`UsageError: DataLoader: ${message}`)
  const loader = new DataLoader(counting(3), { batchSize: 1 })
  expect(await told(() => loader.restore({ epoch: 0, position: 4 }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: state.position must be at most the 3 examples of the dataset, found 4 | the state is of a loader with another dataset"`,
  )
  expect(await told(() => loader.restore({ epoch: -1, position: 0 }))).toMatchInlineSnapshot(
    `"UsageError: DataLoader: state.epoch must be a whole number of at least 0, found -1"`,
  )
  const wrong = mapDataset(counting(3), (batch) => ({
    y: batch.x ?? { dtype: 'int32', shape: [0], data: new Int32Array(0) },
  }))
  expect(await told(() => take(new DataLoader(wrong, { batchSize: 3 })))).toMatchInlineSnapshot(
    `"ShapeError: dataset: batch field "x" must be int32 [3], found nothing"`,
  )
})

test('batches carry the names of their tensors', async () => {
  const numbers = { dtype: 'int32', shape: [2], data: Int32Array.of(1, 2) } as const
  const data = arrayDataset({ image: numbers, label: numbers })
  for (const part of [data, subset(data, [1]), mapDataset(data, (batch) => batch)]) {
    for await (const batch of new DataLoader(part, { batchSize: 2 })) {
      expectTypeOf(batch).toEqualTypeOf<Batch<'image' | 'label'>>()
      expect(Object.keys(batch)).toEqual(['image', 'label'])
      // @ts-expect-error: there is no such field.
      expect(batch.mask).toBe(undefined)
    }
  }
})
