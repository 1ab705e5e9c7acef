import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIdx, readIdx } from '../../../src/data/sources/idx.ts'
import { elementCount } from '../../../src/tensor/dtype.ts'
import { FormatError } from '../../../src/util/errors.ts'
import { told, withFolder } from '../support.ts'

/** An IDX file: type code, shape, and the elements' bytes. */
function idx(code: number, shape: readonly number[], elements: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header[2] = code
  header[3] = shape.length
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  return Buffer.concat([header, Uint8Array.from(elements)])
}

describe('parseIdx', () => {
  test('reads every element type', () => {
    expect(parseIdx(idx(8, [2, 3], [0, 1, 2, 253, 254, 255]))).toEqual({
      dtype: 'uint8',
      shape: [2, 3],
      data: Uint8Array.from([0, 1, 2, 253, 254, 255]),
    })
    expect(parseIdx(idx(9, [3], [0, 127, 128]))).toEqual({
      dtype: 'int32',
      shape: [3],
      data: Int32Array.from([0, 127, -128]),
    })
    expect(parseIdx(idx(11, [2], [0x80, 0, 0x7f, 0xff])).data).toEqual(Int32Array.from([-32768, 32767]))
    expect(parseIdx(idx(12, [2], [0x80, 0, 0, 0, 0, 0, 1, 2])).data).toEqual(Int32Array.from([-(2 ** 31), 258]))
    expect(parseIdx(idx(13, [1, 2], [0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0])).data).toEqual(Float32Array.from([1.5, -2]))
    expect(parseIdx(idx(14, [1], [0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a])).data).toEqual(
      Float32Array.from([0.1]),
    )
    expect(parseIdx(idx(8, [], [7]))).toEqual({ dtype: 'uint8', shape: [], data: Uint8Array.from([7]) })
    expect(parseIdx(idx(8, [0, 5], []))).toEqual({ dtype: 'uint8', shape: [0, 5], data: new Uint8Array(0) })
  })

  test('reads a view within a larger buffer', () => {
    const bytes = Buffer.concat([Buffer.from([9]), idx(11, [2], [0, 1, 0, 2])])
    expect(parseIdx(bytes.subarray(1)).data).toEqual(Int32Array.from([1, 2]))
  })

  test('says what is wrong', async () => {
    const messages = [
      idx(8, [], []).subarray(0, 3),
      Buffer.from('PK\x03\x04'),
      idx(7, [1], [0]),
      idx(8, [1, 1, 1], [0]).subarray(0, 15),
      idx(8, [2, 3], [0, 1, 2, 3, 4]),
      idx(14, [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], [0]),
    ].map((bytes) => told(() => parseIdx(bytes, 'train.idx')))
    expect(await Promise.all(messages)).toMatchInlineSnapshot(`
      [
        "FormatError: train.idx: an IDX file must start with two zero bytes, an element type and a rank, found 3 bytes",
        "FormatError: train.idx: an IDX file must start with two zero bytes, an element type and a rank, found 80 and 75",
        "FormatError: train.idx: the IDX element type must be one of 8, 9, 11, 12, 13, 14, found 7",
        "FormatError: train.idx: an IDX header of rank 3 must have 16 bytes, found 15",
        "FormatError: train.idx: an IDX file of uint8 [2, 3] must have 18 bytes, found 17",
        "FormatError: train.idx: an IDX file of float64 [4294967295, 4294967295, 4294967295] must have 6.3382529967139284e+29 bytes, found 17",
      ]
    `)
  })

  test('any file is either an array as long as its shape, or refused with a FormatError', () => {
    const whole = idx(12, [2, 2], new Uint8Array(16))
    const mutation = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255), length: fc.nat(whole.length) })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), mutation), (input) => {
        const bytes =
          input instanceof Uint8Array ? input : Uint8Array.from(whole).fill(input.to, input.at, input.at + 1)
        const cut = input instanceof Uint8Array || input.to % 2 === 0 ? bytes : bytes.subarray(0, input.length)
        try {
          const array = parseIdx(cut)
          expect(array.data.length).toBe(elementCount(array.shape))
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError)
        }
      }),
      { seed: 4, numRuns: 2000 },
    )
  })
})

describe('readIdx', () => {
  test('reads plain and gzip-compressed files', async () => {
    await withFolder(async (folder) => {
      const bytes = idx(8, [300, 10], new Uint8Array(3000).fill(5))
      await writeFile(join(folder, 'plain'), bytes)
      await writeFile(join(folder, 'packed.gz'), gzipSync(bytes))
      const expected = { dtype: 'uint8', shape: [300, 10], data: new Uint8Array(3000).fill(5) }
      expect(await readIdx(join(folder, 'plain'))).toEqual(expected)
      expect(await readIdx(join(folder, 'packed.gz'))).toEqual(expected)
    })
  })

  test('refuses damaged, overlong and too large files', async () => {
    await withFolder(async (folder) => {
      const error = async (name: string, bytes: Uint8Array, maxBytes?: number) => {
        await writeFile(join(folder, name), bytes)
        return (await told(() => readIdx(join(folder, name), maxBytes))).replace(folder, '.')
      }
      const packed = gzipSync(idx(8, [3000], new Uint8Array(3000)))
      const wrongSum = Uint8Array.from(packed)
      wrongSum[packed.length - 5] = (wrongSum[packed.length - 5] ?? 0) ^ 1
      expect([
        await error('cut.gz', packed.subarray(0, -9)),
        await error('checksum.gz', wrongSum),
        await error('bomb.gz', gzipSync(idx(8, [10], new Uint8Array(1_000_000)))),
        await error('short.gz', gzipSync(idx(8, [10], [1]))),
        await error('header.gz', gzipSync(Buffer.from([0, 0, 8]))),
        await error('large.gz', gzipSync(idx(8, [3_000_000_000], []))),
        await error('large', idx(8, [100], new Uint8Array(100)), 50),
        (await told(() => readIdx(join(folder, 'absent')))).replace(folder, '.'),
        (await told(() => readIdx(folder))).replace(folder, '.'),
      ]).toMatchInlineSnapshot(`
        [
          "FormatError: ./cut.gz: is not valid gzip: unexpected end of file",
          "FormatError: ./checksum.gz: is not valid gzip: incorrect data check",
          "FormatError: ./bomb.gz: has more bytes when decompressed than its IDX header says",
          "FormatError: ./short.gz: an IDX file of uint8 [10] must have 18 bytes, found 9",
          "FormatError: ./header.gz: an IDX file must start with two zero bytes, an element type and a rank, found 3 bytes",
          "FormatError: ./large.gz: must have at most 1073741824 bytes when decompressed, its header says 3000000008",
          "FormatError: ./large: must have at most 50 bytes, found 108",
          "UsageError: ./absent: no such file or folder",
          "UsageError: .: must be a regular file",
        ]
      `)
    })
  })
})
