import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { expireProgram } from './program.ts'

serve(expireProgram)
