import { frozenTransformer } from '../../../src/systems/frozen-transformer/index.ts'
import { describePage } from '../../support/code-walk.ts'

const sources = ['model.ts', 'freezing.ts', 'bodies/lstm.ts'].map((file) => `src/systems/frozen-transformer/${file}`)
describePage('src/systems/frozen-transformer/README.md', sources, frozenTransformer)
