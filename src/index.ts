/**
 * tenfold: plain functions of tensors, traced into a graph, differentiated, and run by ONNX Runtime; in Node and in browsers.
 */
export { checkpoint } from './autodiff/checkpoint.ts'
export { gradient, vectorJacobianProduct } from './autodiff/gradient.ts'
export { inRowBlocks } from './autodiff/row-blocks.ts'
export { type Compiled, compile } from './compile/compile.ts'
export { type ExportOptions, exportOnnx } from './compile/export.ts'
export { readSafetensors, writeSafetensors } from './io/safetensors.ts'
export * as linalg from './linalg/index.ts'
export * as nn from './nn/index.ts'
export * as ops from './ops/index.ts'
export * as optim from './optim/index.ts'
export * from './tensor/dtype.ts'
export { manualSeed, RandomState, randomState } from './tensor/random-state.ts'
export { constant, Tensor, tensor } from './tensor/tensor.ts'
export { fetchVariables, Variable } from './tensor/variable.ts'
export * from './util/errors.ts'
export { Generator } from './util/random.ts'
