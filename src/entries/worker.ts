/** `tenfold/worker`: the other side: a worker's module is a program and `serve(program)`. */
import '../compile/program.ts'

export type { Progress } from '../web/protocol.ts'
export { type Host, type Requests, type ServedModel, serve, type WorkerProgram } from '../web/serve.ts'
