import { targets } from '../../src/verify/targets/matmul.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('matmul', targets)
