// An optional package, whose types are those of a dependency.
declare module 'onnxruntime-web/wasm' {
  export * from 'onnxruntime-common'
}
declare module 'onnxruntime-web/webgpu' {
  export * from 'onnxruntime-common'
}
