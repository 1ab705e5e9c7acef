import type { DType, Resident, StoredArray, TypedArray } from '../tensor/dtype.ts'

/** How a model is loaded. */
export interface SessionOptions {
  /** Threads that compute one op, at most as many as there are cores. Default: the number of physical cores, as the runtime counts them. */
  readonly threads?: number
  /** Whether the runtime may optimise the graph. Default: true; of a compiled function: unless it assigns variables (a training step). */
  readonly optimize?: boolean
  /** Passes of the runtime's optimiser that must not run, by its own names. */
  readonly disabledOptimizers?: readonly string[]
  /** Whether the runtime measures every kernel. Default: false. */
  readonly profile?: boolean
  /** Threads busy-wait for work. Faster steps, but a busy core between them. Default: true. */
  readonly spin?: boolean
  /** Names of outputs that are inputs of later runs: they may stay where the runtime computes them. Default: none. */
  readonly stay?: readonly string[]
}

/** An output of a run. */
export interface Target {
  readonly dtype: DType
  readonly shape: readonly number[]
  /** An array for its numbers, made when it is asked for: a runtime that can write into it saves a copy. */
  readonly buffer: () => TypedArray
}

/** A loaded model: the only thing tenfold asks of a runtime. */
export interface Session {
  /**
   * Runs the model. `inputs` in the order of the graph's inputs, `targets` in that of its outputs, as the result, in which each is its
   * buffer, another array, which is the caller's from then on, or what stays with the runtime.
   */
  run(inputs: readonly StoredArray[], targets: readonly Target[]): Promise<readonly (TypedArray | Resident)[]>
  /** Frees the native memory. */
  release(): Promise<void>
  /** Every kernel that ran since the session was loaded, if it was loaded with `profile`. Ends profiling. */
  endProfiling(): readonly KernelTime[]
}

/** What computes, and how: settings of a platform's runtime as a whole. */
export interface RuntimeOptions {
  /** What computes: the processor, or in a browser a graphics processor by WebGPU, with variables of float32 staying there between calls. Default: cpu. */
  readonly device?: 'cpu' | 'webgpu'
  /** Threads that compute one op, where a compiled function says nothing else. In a browser they are fixed when the first model is loaded; more than
   * one needs a page that is isolated from other origins (the headers COOP and COEP), and `files`. Default: in Node the number of
   * physical cores, in a browser half of the processors, at most 4, where several can be had. */
  readonly threads?: number
  /** In a browser: the URL of the folder that has the files of onnxruntime-web (`ort-wasm-*`), relative to the page's. Default: where the bundler puts them. */
  readonly files?: string
}

/**
 * What tenfold asks of a platform. The module `#runtime` is one of these: `node.ts`, or in a browser `web.ts` (package.json,
 * "imports"; docs/decisions/044-platforms.md).
 */
export interface Runtime {
  /** Loads an ONNX model. */
  readonly loadSession: (model: Uint8Array, options?: SessionOptions) => Promise<Session>
  /** Settings for all models that are loaded from here on. Throws a UsageError for those that the platform does not have, or that come too late. */
  readonly configure: (options: RuntimeOptions) => void
  /** Whether the runtime has a kernel where it computes, or `float64`; of what every runtime has, nobody asks. */
  readonly hasKernel: (type: string) => boolean
  /** Whether the runtime may have convolutions with channels in blocks (its domain com.microsoft.nchwc). */
  readonly hasBlockedConvolutions: boolean
}

/** One execution of a kernel. */
export interface KernelTime {
  /** Name of the model's node; the runtime's optimizer makes names of its own where it joins nodes. */
  readonly node: string
  /** ONNX operator. */
  readonly op: string
  readonly microseconds: number
}
