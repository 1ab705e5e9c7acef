import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { diffusionProgram } from './program.ts'

serve(diffusionProgram)
