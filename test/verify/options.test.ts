import * as attention from '../../src/verify/targets/attention.ts'
import * as elementwise from '../../src/verify/targets/elementwise.ts'
import * as losses from '../../src/verify/targets/losses.ts'
import * as norms from '../../src/verify/targets/norms.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('options', { ...attention.targets, ...elementwise.targets, ...losses.targets, ...norms.targets })
