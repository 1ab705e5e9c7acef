import { evaluate } from './compile/program.ts'
import { installEvaluator } from './tensor/tensor.ts'

export { checkpoint } from './autodiff/checkpoint.ts'
export { gradient, vectorJacobianProduct } from './autodiff/gradient.ts'
export { type Compiled, compile } from './compile/compile.ts'
export * as ops from './ops/index.ts'
export * from './tensor/dtype.ts'
export { constant, Tensor, tensor } from './tensor/tensor.ts'
export { Variable } from './tensor/variable.ts'
export * from './util/errors.ts'

installEvaluator(evaluate)
