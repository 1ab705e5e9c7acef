import { targets } from '../../src/verify/targets/attention.ts'
import { testOpCase } from '../support/reference.ts'

testOpCase('attention-rnn-fft', targets)
