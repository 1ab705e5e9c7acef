import '../../compile/program.ts'
import { serve } from '../../web/serve.ts'
import { perceiverProgram } from './program.ts'

serve(perceiverProgram)
