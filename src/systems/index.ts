/** The systems, one line each. The command line and the checks use this list. */

import { clipVideo } from './clip-video/index.ts'
import type { System } from './define.ts'
import { diffusion } from './diffusion/index.ts'
import { expireSpan } from './expire-span/index.ts'
import { fnet } from './fnet/index.ts'
import { frozenTransformer } from './frozen-transformer/index.ts'
import { involution } from './involution/index.ts'
import { mixer } from './mixer/index.ts'
import { perceiver } from './perceiver/index.ts'
import { selfSupervised } from './self-supervised/index.ts'
import { translationBias } from './translation-bias/index.ts'

export const systems: readonly System[] = [
  mixer,
  fnet,
  perceiver,
  expireSpan,
  frozenTransformer,
  involution,
  diffusion,
  selfSupervised,
  clipVideo,
  translationBias,
]
