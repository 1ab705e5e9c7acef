/** Pictures from noise: the loop over the steps of a process. */
import type { NDArray } from '../../tensor/dtype.ts'
import { sizes } from '../../tensor/shape.ts'

/** Pictures [B, C, H, W] in [-1, 1] as bytes [B, H, W, C]: (x + 1) 127.5, clamped, the fraction cut off. */
export function toBytes({ shape, data }: NDArray): NDArray {
  const [batch, channels, height, width] = sizes(shape, 4)
  const bytes = new Uint8Array(data.length)
  const plane = height * width
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < plane; i++) {
        const value = (Number(data[(n * channels + c) * plane + i]) + 1) * 127.5
        bytes[(n * plane + i) * channels + c] = Math.trunc(Math.min(255, Math.max(0, value)))
      }
    }
  }
  return { dtype: 'uint8', shape: [batch, height, width, channels], data: bytes }
}
