import * as attention from '../../src/verify/targets/attention.ts'
import * as elementwise from '../../src/verify/targets/elementwise.ts'
import * as indexing from '../../src/verify/targets/indexing.ts'
import * as losses from '../../src/verify/targets/losses.ts'
import * as matmul from '../../src/verify/targets/matmul.ts'
import * as movement from '../../src/verify/targets/movement.ts'
import * as reductions from '../../src/verify/targets/reductions.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('promotion', {
  ...attention.targets,
  ...elementwise.targets,
  ...indexing.targets,
  ...losses.targets,
  ...matmul.targets,
  ...movement.targets,
  ...reductions.targets,
})
