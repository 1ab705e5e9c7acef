import { targets } from '../../src/verify/targets/movement.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('movement', targets)
