import { mixer } from '../../../src/systems/mixer/index.ts'
import { describePage } from '../../support/code-walk.ts'

describePage('src/systems/mixer/README.md', ['src/systems/mixer/model.ts', 'src/models/patches.ts'], mixer)
