import { targets as elementwise } from '../../src/verify/targets/elementwise.ts'
import { targets as indexing } from '../../src/verify/targets/indexing.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('indexing', { ...elementwise, ...indexing })
