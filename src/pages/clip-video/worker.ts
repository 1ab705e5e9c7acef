import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { clipVideoProgram } from './program.ts'

serve(clipVideoProgram)
