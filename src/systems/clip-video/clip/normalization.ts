/** Mean and standard deviation of red, green and blue in CLIP's training pictures, 0 to 1. */
import * as ops from '../../../ops/index.ts'
import { constant, type Tensor } from '../../../tensor/tensor.ts'

export const clipMean = [0.48145466, 0.4578275, 0.40821073] as const
export const clipStd = [0.26862954, 0.26130258, 0.27577711] as const

/** Colours 0 to 1 [N, 3, H, W] as CLIP's towers take them. */
export function clipNormalized(x: Tensor): Tensor {
  const perChannel = (values: readonly number[]): Tensor => constant(Float32Array.from(values), [3, 1, 1], 'float32')
  return ops.div(ops.sub(x, perChannel(clipMean)), perChannel(clipStd))
}
