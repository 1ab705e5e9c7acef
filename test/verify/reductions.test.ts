import { targets as indexing } from '../../src/verify/targets/indexing.ts'
import { targets as reductions } from '../../src/verify/targets/reductions.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('reductions', { ...indexing, ...reductions })
