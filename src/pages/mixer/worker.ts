import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { mixerProgram } from './program.ts'

serve(mixerProgram)
