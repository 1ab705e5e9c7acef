// An optional package, whose types are those of a dependency.
declare module 'onnxruntime-web/wasm' {
  export * from 'onnxruntime-common'
}
