/** A picture in the place of words: its own direction in CLIP's space. */
import { compile } from '../../../compile/compile.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { ofBytes } from '../clip/encoders.ts'
import { unitRows } from '../pairs/retrieval.ts'
import type { Seer } from './models.ts'

/** The features, of length 1, of a picture uint8 [3, side, side]. */
export async function seePictureFile({ see, side }: Seer, pixels: Uint8Array): Promise<Float64Array> {
  const run = compile((image: Tensor) => see(ofBytes(image)))
  const found = await run({ dtype: 'uint8', shape: [1, 3, side, side], data: pixels })
  const [row = new Float64Array()] = unitRows(found.array)
  await run.release()
  return row
}
