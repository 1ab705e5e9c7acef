import { targets } from '../../src/verify/targets/pool.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('pool', targets)
testOpCase('resize', targets)
