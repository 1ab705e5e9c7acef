/** Everything that `npm run bench` measures. */
import type { Decoding, Product, Workload } from '../harness/workload.ts'
import { encoders } from './encoder.ts'
import { expireSpan } from './expire-span.ts'
import { gpt2s } from './gpt2.ts'
import { involutions } from './involution.ts'
import { mixerMnist, mixerSmall } from './mixer.ts'
import { perceiver } from './perceiver.ts'
import { resnet } from './resnet.ts'
import { signals } from './signal.ts'
import { transformerLm, transformerLmCheckpoint } from './transformer-lm.ts'
import { unets } from './unet.ts'

export const workloads: readonly Workload[] = [
  transformerLm,
  transformerLmCheckpoint,
  mixerMnist,
  mixerSmall,
  ...encoders,
  perceiver,
  expireSpan,
  ...unets,
  resnet,
  ...involutions,
  ...signals,
]

export const decodings: readonly Decoding[] = gpt2s

export const products: readonly Product[] = [256, 512, 1024, 2048].map((size) => ({
  name: `sgemm-${size}`,
  summary: `${size} x ${size} x ${size}`,
  size,
}))
