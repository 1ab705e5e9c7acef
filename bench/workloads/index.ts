/** Everything that `npm run bench` measures. */
import type { Decoding, Product, Workload } from '../harness/workload.ts'
import { clip } from './clip.ts'
import { denoiser } from './diffusion.ts'
import { encoders } from './encoder.ts'
import { expireSpan } from './expire-span.ts'
import { frozenTransformers } from './frozen.ts'
import { gpt2s } from './gpt2.ts'
import { involutions } from './involution.ts'
import { mixerMnist, mixerSmall } from './mixer.ts'
import { neighbourhoods } from './neighbourhoods.ts'
import { opWorkloads } from './ops.ts'
import { perceiver } from './perceiver.ts'
import { resnet } from './resnet.ts'
import { signals } from './signal.ts'
import { simclr } from './simclr.ts'
import { transformerLm, transformerLmCheckpoint } from './transformer-lm.ts'
import { unets } from './unet.ts'

export const workloads: readonly Workload[] = [
  transformerLm,
  transformerLmCheckpoint,
  mixerMnist,
  mixerSmall,
  ...encoders,
  perceiver,
  clip,
  ...frozenTransformers,
  expireSpan,
  ...unets,
  denoiser,
  resnet,
  simclr,
  ...involutions,
  ...neighbourhoods,
  ...signals,
  ...opWorkloads,
]

/** Names that stand for several workloads. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  ops: [...involutions, ...signals, ...opWorkloads].map(({ name }) => name),
}

export const decodings: readonly Decoding[] = gpt2s

export const products: readonly Product[] = [256, 512, 1024, 2048].map((size) => ({
  name: `sgemm-${size}`,
  summary: `${size} x ${size} x ${size}`,
  size,
}))
