import { targets } from '../../src/verify/targets/activations.ts'
import { targets as reductions } from '../../src/verify/targets/reductions.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('activations', targets)
testOpCase('softmax', { ...reductions, ...targets })
