/** `tenfold/runtime`: ONNX models as they are, exported by tenfold or by others, run by the ONNX Runtime inside of the package. Node only. */
export { type NamedArrays, OnnxModel } from '../runtime/onnx-model.ts'
