import * as ops from '../../../../src/ops/index.ts'
import type { Seer } from '../../../../src/systems/clip-video/video/models.ts'

/** Sees the mean colour, and knows no words. */
export const meanColour: Seer = {
  name: 'mean colour',
  identity: 'colour',
  tower: 'vit',
  side: 4,
  see: (pictures) => ops.mean(pictures, [2, 3]),
  readTexts: async () => [],
}
