/** Makes the file of digits; in Node, when the site is built. */
import { gzipSync } from 'node:zlib'
import { loadMnist } from '../../data/sources/mnist.ts'
import { counts, type Digits, packDigits } from './read-digits.ts'

async function digits(split: 'train' | 'test'): Promise<Digits> {
  const indices = Array.from({ length: counts[split] }, (_, i) => i)
  const { image, label } = await (await loadMnist(split)).batch(indices, { epoch: 0, seed: 0 })
  return { images: image.data as Uint8Array, labels: Uint8Array.from(label.data as Int32Array) }
}

/** The first digits of MNIST's two splits, gzipped. */
export async function makeDigits(): Promise<Uint8Array> {
  return gzipSync(packDigits({ train: await digits('train'), test: await digits('test') }), { level: 9 })
}
