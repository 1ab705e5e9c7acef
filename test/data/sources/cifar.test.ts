import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadCifar, parseCifar } from '../../../src/data/sources/cifar.ts'
import { FormatError } from '../../../src/util/errors.ts'
import { context, numbers, told, withFolder } from '../support.ts'

/** A record: the label bytes, then planes with red = pixel mod 256, green = 100, blue = 200. */
function record(...labels: number[]): Uint8Array {
  const red = Uint8Array.from({ length: 1024 }, (_, pixel) => pixel % 256)
  return Buffer.concat([Uint8Array.from(labels), red, new Uint8Array(1024).fill(100), new Uint8Array(1024).fill(200)])
}

describe('parseCifar', () => {
  test('CIFAR-10 in planes, CIFAR-100 in pixels', () => {
    const planes = parseCifar(Buffer.concat([record(3), record(9)]), 10)
    expect(planes.image?.shape).toEqual([2, 3, 32, 32])
    expect(numbers(planes, 'image').slice(3072, 3075)).toEqual([0, 1, 2])
    expect(numbers(planes, 'image').at(-1)).toBe(200)
    expect(planes.label).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.from([3, 9]) })
    const pixels = parseCifar(record(19, 99), 100, 'NHWC')
    expect(pixels.image?.shape).toEqual([1, 32, 32, 3])
    expect(numbers(pixels, 'image').slice(3, 9)).toEqual([1, 100, 200, 2, 100, 200])
    expect([...numbers(pixels, 'coarseLabel'), ...numbers(pixels, 'label')]).toEqual([19, 99])
  })

  test('says what is wrong', async () => {
    const messages = [
      told(() => parseCifar(new Uint8Array(0), 10, 'NCHW', 'a.bin')),
      told(() => parseCifar(record(1, 2), 10, 'NCHW', 'a.bin')),
      told(() => parseCifar(Buffer.concat([record(1), record(10)]), 10, 'NCHW', 'a.bin')),
      told(() => parseCifar(record(20, 1), 100, 'NCHW', 'a.bin')),
    ]
    expect(await Promise.all(messages)).toMatchInlineSnapshot(`
      [
        "FormatError: a.bin: CIFAR-10 must be records of 3073 bytes each, found 0 bytes",
        "FormatError: a.bin: CIFAR-10 must be records of 3073 bytes each, found 3074 bytes",
        "FormatError: a.bin: label of record 1 must be 0 to 9, found 10",
        "FormatError: a.bin: coarseLabel of record 0 must be 0 to 19, found 20",
      ]
    `)
  })

  test('any bytes are either records or refused with a FormatError', () => {
    const whole = Buffer.concat([record(1, 2), record(3, 4)])
    const mutation = fc.record({ at: fc.nat(9), to: fc.nat(255), length: fc.integer({ min: 0, max: whole.length }) })
    fc.assert(
      fc.property(mutation, fc.constantFrom(10 as const, 100 as const), ({ at, to, length }, classes) => {
        const bytes = Uint8Array.from(whole).fill(to, at, at + 1)
        try {
          const batch = parseCifar(to % 2 === 0 ? bytes : bytes.subarray(0, length), classes)
          expect(Math.max(...numbers(batch, 'label'))).toBeLessThan(classes)
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})

test('loadCifar joins the five training files in order', async () => {
  await withFolder(async (folder) => {
    const inside = join(folder, 'cifar-10-batches-bin')
    await mkdir(inside)
    for (const i of [1, 2, 3, 4, 5]) await writeFile(join(inside, `data_batch_${i}.bin`), record(i))
    await writeFile(join(inside, 'test_batch.bin'), Buffer.concat([record(7), record(8)]))
    const train = await loadCifar(inside, 'train')
    expect(train.fields.image).toEqual({ dtype: 'uint8', shape: [3, 32, 32] })
    expect(numbers(await train.batch([4, 0, 1], context), 'label')).toEqual([5, 1, 2])
    const tested = await loadCifar(inside, 'test', { layout: 'NHWC' })
    expect(numbers(await tested.batch([1], context), 'image').slice(3, 6)).toEqual([1, 100, 200])
    expect((await told(() => loadCifar(inside, 'test', { classes: 100 }))).replace(inside, '.')).toMatchInlineSnapshot(
      `"UsageError: ./test.bin: no such file or folder"`,
    )
  })
})
