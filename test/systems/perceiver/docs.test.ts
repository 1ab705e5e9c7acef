import { perceiver } from '../../../src/systems/perceiver/index.ts'
import { describePage } from '../../support/code-walk.ts'

const own = ['model.ts', 'attention.ts', 'reading.ts'].map((file) => `src/systems/perceiver/${file}`)
describePage('src/systems/perceiver/README.md', [...own, 'src/models/positions.ts'], perceiver)
