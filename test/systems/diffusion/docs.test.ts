import { diffusion } from '../../../src/systems/diffusion/index.ts'
import { describePage } from '../../support/code-walk.ts'

const sources = ['gaussian-diffusion.ts', 'schedule.ts', 'losses.ts', 'blocks.ts'].map(
  (file) => `src/systems/diffusion/${file}`,
)
describePage('src/systems/diffusion/README.md', sources, diffusion)
