import { targets } from '../../src/verify/targets/elementwise.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('elementwise-unary', targets)
testOpCase('elementwise-binary', targets)
