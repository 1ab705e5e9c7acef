import { involution } from '../../../src/systems/involution/index.ts'
import { describePage } from '../../support/code-walk.ts'

const own = ['bottleneck.ts', 'detection/assign.ts'].map((file) => `src/systems/involution/${file}`)
describePage('src/systems/involution/README.md', [...own, 'src/nn/involution.ts'], involution)
