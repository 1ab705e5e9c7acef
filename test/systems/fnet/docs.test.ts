import { fnet } from '../../../src/systems/fnet/index.ts'
import { describePage } from '../../support/code-walk.ts'

const sources = ['src/systems/fnet/mixing.ts', 'src/systems/fnet/model.ts', 'src/ops/fourier/fourier.ts']
describePage('src/systems/fnet/README.md', sources, fnet)
