import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { fnetProgram } from './program.ts'

serve(fnetProgram)
