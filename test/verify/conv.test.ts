import { targets } from '../../src/verify/targets/conv.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('conv', targets)
