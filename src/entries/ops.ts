/** `tenfold/ops`: the whole kit of ops, for those who define their own. The functions alone are `ops` of `tenfold`. */
import '../compile/program.ts'

export * from '../ops/kit.ts'
