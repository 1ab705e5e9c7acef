import { expireSpan } from '../../../src/systems/expire-span/index.ts'
import { describePage } from '../../support/code-walk.ts'

const folder = 'src/systems/expire-span'
const sources = ['attention', 'expire-span', 'memory'].map((name) => `${folder}/${name}.ts`)
describePage(`${folder}/README.md`, sources, expireSpan)
