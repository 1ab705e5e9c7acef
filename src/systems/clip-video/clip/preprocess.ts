/** Pictures as CLIP was trained on them: the shorter side resized, the centre cut out, colours normalised. */
import { type PillowImage, pillowCrop, pillowResize, pillowRgb } from '../../../data/pillow.ts'
import type { NDArray } from '../../../tensor/dtype.ts'
import { UsageError } from '../../../util/errors.ts'
import { roundHalfEven } from '../../../util/rounding.ts'
import { clipMean, clipStd } from './normalization.ts'

/** A picture for CLIP. */
export interface PreparedPicture {
  /** Red, green, blue: uint8 [n, n, 3]. */
  readonly bytes: NDArray
  /** Normalised: float32 [3, n, n]. */
  readonly pixels: NDArray
}

/** openai/CLIP's `_transform(n)`, with Pillow's bytes. */
export function preparePicture(image: PillowImage, n: number): PreparedPicture {
  if (!Number.isInteger(n) || n < 1)
    throw new UsageError(`CLIP: pictures must have at least 1 pixel a side, found ${n}`)
  const { height, width } = image
  const [tall, wide] = height < width ? [n, Math.trunc((n * width) / height)] : [Math.trunc((n * height) / width), n]
  const resized = pillowResize(image, tall, wide)
  const [top, left] = [roundHalfEven((tall - n) / 2), roundHalfEven((wide - n) / 2)]
  const { data } = pillowRgb(pillowCrop(resized, top, left, n, n))
  const area = n * n
  const pixels = Float32Array.from({ length: 3 * area }, (_, i) => {
    const channel = Math.floor(i / area)
    const share = Math.fround((data[3 * (i % area) + channel] ?? 0) / 255)
    const [mean, std] = [Math.fround(clipMean[channel] ?? 0), Math.fround(clipStd[channel] ?? 1)]
    return Math.fround(share - mean) / std
  })
  return {
    bytes: { dtype: 'uint8', shape: [n, n, 3], data },
    pixels: { dtype: 'float32', shape: [3, n, n], data: pixels },
  }
}
