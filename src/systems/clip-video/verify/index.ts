/** The reference cases that the music video answers: CLIP, BigGAN, the optimisation and the film. */
import type { CaseTargetRule } from '../../../verify/target.ts'
import { bigganTargets } from './biggan.ts'
import { bigganTrainingTargets } from './biggan-training.ts'
import { clipTargets } from './clip.ts'
import { preprocessTargets } from './preprocess.ts'
import { textTargets } from './texts.ts'
import { tokenizerTargets } from './tokenizer.ts'
import { videoTargets } from './video.ts'

export const targets: readonly CaseTargetRule[] = [
  ...clipTargets,
  ...bigganTargets,
  ...bigganTrainingTargets,
  ...videoTargets,
  ...textTargets,
  ...preprocessTargets,
  ...tokenizerTargets,
]
