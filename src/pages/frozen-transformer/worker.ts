import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { frozenProgram } from './program.ts'

serve(frozenProgram)
