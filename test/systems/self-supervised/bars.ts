/** Pictures for the tests of recipes: bars, of which those of class 0 stand and those of class 1 lie. */
import { arrayDataset } from '../../../src/data/dataset.ts'
import { Generator } from '../../../src/util/random.ts'

/** So many pictures of side x side pixels. */
export function bars(count: number, seed: number, side = 12) {
  const random = new Generator(seed)
  const image = new Uint8Array(count * side * side)
  const label = new Int32Array(count)
  for (let n = 0; n < count; n++) {
    const place = Number(random.integers(2, side - 3, 1)[0])
    label[n] = n % 2
    for (let i = 1; i < side - 1; i++)
      for (const j of [place, place + 1]) image[n * side * side + (n % 2 === 0 ? i * side + j : j * side + i)] = 255
  }
  return arrayDataset({
    image: { dtype: 'uint8', shape: [count, 1, side, side], data: image },
    label: { dtype: 'int32', shape: [count], data: label },
  })
}

/** What is known of them. */
export const barFacts = { labels: ['standing', 'lying'], image_size: [12, 12], in_channels: 1, examples: 64 } as const
