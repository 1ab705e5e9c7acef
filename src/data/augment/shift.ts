/** Small random moves of training pictures. */
import { sizes } from '../../tensor/shape.ts'
import { deriveSeed, Generator } from '../../util/random.ts'
import { type Dataset, mapDataset, withLabelsOf } from '../dataset.ts'

/** Moves each picture of field `image` (uint8 [N, C, H, W]) by up to `pixels` along both axes; the gaps are filled with 0. */
export function shiftPictures<Name extends string>(
  dataset: Dataset<Name | 'image'>,
  pixels: number,
): Dataset<Name | 'image'> {
  if (pixels === 0) return dataset
  // Of all pictures at once: a generator for each takes longer than moving it.
  let drawn: { readonly of: bigint; readonly moves: ReturnType<Generator['integers']> } | undefined
  const movesOf = (seed: bigint): ReturnType<Generator['integers']> => {
    if (drawn?.of !== seed)
      drawn = { of: seed, moves: new Generator(seed).integers(-pixels, pixels + 1, 2 * dataset.length) }
    return drawn.moves
  }
  const shifted = mapDataset(dataset, (batch, indices, { epoch, seed }) => {
    const { shape, data, dtype } = batch.image
    const [count, channels, height, width] = sizes(shape, 4)
    const moves = movesOf(deriveSeed(seed, 'shift', epoch))
    const moved = new Uint8Array(data.length)
    const source = data as Uint8Array
    for (let n = 0; n < count; n++) {
      const index = indices[n] ?? 0
      const [down, right] = [Number(moves[2 * index]), Number(moves[2 * index + 1])]
      for (let plane = n * channels; plane < (n + 1) * channels; plane++) {
        const start = plane * height * width
        for (let y = Math.max(0, -down); y < Math.min(height, height - down); y++) {
          const from = start + y * width + Math.max(0, -right)
          const to = start + (y + down) * width + Math.max(0, right)
          moved.set(source.subarray(from, from + width - Math.abs(right)), to)
        }
      }
    }
    return { ...batch, image: { dtype, shape, data: moved } }
  })
  return withLabelsOf(dataset, shifted)
}
