import { targets as losses } from '../../src/verify/targets/losses.ts'
import { targets as norms } from '../../src/verify/targets/norms.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('losses', { ...norms, ...losses })
testOpCase('norms', norms)
