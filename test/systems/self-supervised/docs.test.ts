import { selfSupervised } from '../../../src/systems/self-supervised/index.ts'
import { describePage } from '../../support/code-walk.ts'

const folder = 'src/systems/self-supervised'
const quoted = ['energies/losses.ts', 'energies/inference.ts', 'methods/simsiam.ts'].map((file) => `${folder}/${file}`)

describePage(`${folder}/README.md`, quoted, selfSupervised)
describePage(
  `${folder}/bert-contrastive.md`,
  ['energies/losses.ts', 'jobs/word-model.ts'].map((file) => `${folder}/${file}`),
  selfSupervised,
)
