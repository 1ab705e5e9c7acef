/** ONNX models of other exporters, as modules. */
export { UnsupportedError } from './errors.ts'
export type { OnnxValueInfo } from './graph.ts'
export { type ImportOptions, importOnnx, OnnxModel, onnxOperators } from './import.ts'
