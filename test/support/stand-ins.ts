/** Tiny stand-ins of data sets, in folders as `tenfold data` leaves them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { findDataSet, folderOf } from '../../src/data/catalog/cache.ts'
import { encodePng } from '../../src/io/png.ts'

/** Pictures in each file of the stand-in of CIFAR-10. */
export const sheetPictures = 4

/** Writes CIFAR-10's six files with four pictures each into a cache, and returns their folder. Picture i has label i % 10. */
export function writeCifar(cache: string): string {
  const folder = folderOf(findDataSet('cifar10'), cache)
  mkdirSync(folder, { recursive: true })
  const sheet = (first: number): Uint8Array =>
    encodePng(
      Uint8Array.from({ length: sheetPictures * 3072 }, (_, i) => {
        const [picture, pixel, channel] = [first + Math.floor(i / 3072), Math.floor(i / 3) % 1024, i % 3]
        return (25 * (picture % 10) + pixel + 100 * channel) % 256
      }),
      1024,
      sheetPictures,
      3,
    )
  const labels = (count: number) => JSON.stringify(Array.from({ length: count }, (_, i) => i % 10))
  for (let i = 1; i <= 5; i++) writeFileSync(join(folder, `data_batch_${i}.png`), sheet((i - 1) * sheetPictures))
  writeFileSync(join(folder, 'test_batch.png'), sheet(0))
  writeFileSync(join(folder, 'train_lables.json'), labels(5 * sheetPictures))
  writeFileSync(join(folder, 'test_lables.json'), labels(sheetPictures))
  return folder
}

/** An IDX file of bytes, packed. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.set([0, 0, 8, shape.length])
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i)
  return gzipSync(Buffer.concat([header, data]))
}

/** Writes Fashion-MNIST's four files with some pictures into a cache. */
export function writeFashion(cache: string): void {
  const folder = join(folderOf(findDataSet('fashion-mnist'), cache), 'usr/share/datasets/fashion-mnist')
  mkdirSync(folder, { recursive: true })
  for (const [prefix, count] of [
    ['train', 6],
    ['t10k', 3],
  ] as const) {
    const pictures = Uint8Array.from({ length: count * 784 }, (_, i) => i % 251)
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte.gz`), idx([count, 28, 28], pictures))
    const labels = Uint8Array.from({ length: count }, (_, i) => i)
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte.gz`), idx([count], labels))
  }
}
