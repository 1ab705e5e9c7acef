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
  const shifted = mapDataset(dataset, (batch, indices, { epoch, seed }) => {
    const { shape, data, dtype } = batch.image
    const [count, channels, height, width] = sizes(shape, 4)
    const moves = new Generator(deriveSeed(seed, 'shift', epoch, indices[0] ?? 0)).integers(
      -pixels,
      pixels + 1,
      2 * count,
    )
    const moved = new Uint8Array(data.length)
    const source = data as Uint8Array
    for (let n = 0; n < count; n++) {
      const [down, right] = [Number(moves[2 * n]), Number(moves[2 * n + 1])]
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
