import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { involutionProgram } from './program.ts'

serve(involutionProgram)
