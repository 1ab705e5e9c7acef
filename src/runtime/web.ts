/** ONNX Runtime as WebAssembly and on WebGPU: the package onnxruntime-web, which a page brings along (docs/decisions/044-platforms.md). */
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import { type DType, elementCount, type Resident, type StoredArray, type TypedArray } from '../tensor/dtype.ts'
import { requireCount, requireOneOf } from '../util/check.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { Queue } from '../util/queue.ts'
import { turn } from '../util/turn.ts'
import type { Runtime, RuntimeOptions, Session, Target } from './session.ts'
import { byName, disabledOptimizers } from './shared.ts'

/** Its build for the web has no kernels of the domain com.microsoft.nchwc. */
export const hasBlockedConvolutions = false

/** The runtime's log level at which it prints nothing: failures are thrown anyway. */
const silent = 4

type Library = typeof import('onnxruntime-web/wasm')

let settings: RuntimeOptions = {}
let loaded: Promise<Library> | undefined

/** See `Runtime.configure`. */
export function configure(options: RuntimeOptions): void {
  const { device = 'cpu', threads, files } = options
  requireOneOf('configure', 'device', device, ['cpu', 'webgpu'], UsageError)
  if (threads !== undefined) requireCount('configure', 'threads', threads, 1, UsageError)
  if (threads !== undefined && threads > 1 && files === undefined)
    throw new UsageError(`configure: ${threads} threads need files, the folder with the files of onnxruntime-web`, {
      hint: 'each thread loads them by itself',
    })
  const isOther = device !== (settings.device ?? 'cpu') || threads !== settings.threads || files !== settings.files
  if (loaded && isOther)
    throw new UsageError('configure: the runtime is loaded already, with other settings', {
      hint: 'start another worker',
    })
  settings = options
}

/**
 * What its provider for WebGPU lacks: it would take their inputs to the processor, and the results back, or fail. And kernels that differ
 * there from what ONNX says: of zero, negative numbers or NaN they make finite numbers, which its language allows.
 */
const missingOnWebGpu: ReadonlySet<string> = new Set([
  'FusedMatMul',
  'LogSoftmax',
  'MaxPool with indices',
  'float64',
  'Log',
  'Pow',
  'Relu',
])

/** See `Runtime.hasKernel`. */
export const hasKernel = (type: string): boolean => settings.device !== 'webgpu' || !missingOnWebGpu.has(type)

async function load(): Promise<Library> {
  const { device, threads, files } = settings
  if (device === 'webgpu') await requireWebGpu()
  try {
    const library = await (device === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm'))
    const { wasm } = library.env
    // Without `files` the library's worker threads would load the script that it is bundled into: the page's own.
    if (files === undefined) wasm.numThreads = 1
    else {
      wasm.wasmPaths = new URL(files.replace(/\/?$/, '/'), globalThis.location.href).href
      if (threads !== undefined) wasm.numThreads = threads
    }
    return library
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TenfoldError(`the package onnxruntime-web can't be loaded: ${reason}`, {
      hint: 'in a browser models run with it: npm install onnxruntime-web',
      cause: error,
    })
  }
}

/** The part of the browser's interface that is used here; TypeScript has no types for it. */
interface Gpu {
  requestAdapter(): Promise<object | null>
}

async function requireWebGpu(): Promise<void> {
  const { gpu } = navigator as { readonly gpu?: Gpu }
  if (await gpu?.requestAdapter()) return
  const found = gpu ? 'no adapter for it' : 'none in this browser, or the page is neither local nor served by https'
  throw new TenfoldError(`device: webgpu needs WebGPU, found ${found}`, { hint: "use the processor: device 'cpu'" })
}

/** One call of the library at a time: two of WebGPU at once would wait for each other, without an error. */
const calls = new Queue()

/** An output that stays on the graphics processor. */
class GpuArray implements Resident {
  readonly #tensor: Tensor
  readonly #owner: Set<GpuArray>
  /** A call that reads them, perhaps behind others. */
  #asked: Promise<TypedArray> | undefined
  /** They are no longer there. */
  #data: Promise<TypedArray> | undefined

  /** `owner`: those of one session, whose numbers are lost with it. */
  constructor(tensor: Tensor, owner: Set<GpuArray>) {
    this.#tensor = tensor
    this.#owner = owner
    owner.add(this)
  }

  /** The numbers as an input of this shape: of another one than the output's if that was a reshaped value. */
  async input({ Tensor }: Library, dtype: DType, shape: readonly number[]): Promise<Tensor> {
    if (this.#data) return new Tensor(dtype, await this.#data, shape)
    return Tensor.fromGpuBuffer(this.#tensor.gpuBuffer, { dataType: dtype as 'float32', dims: [...shape] })
  }

  read(): Promise<TypedArray> {
    this.#asked ??= calls.add(() => this.readNow())
    return this.#asked
  }

  /** `read` as part of a call. */
  readNow(): Promise<TypedArray> {
    this.#owner.delete(this)
    this.#data ??= this.#tensor.getData(true) as Promise<TypedArray>
    return this.#data
  }

  release(): void {
    // Reading them gives them up, too.
    if (!this.#asked && !this.#data) this.#tensor.dispose()
    this.#owner.delete(this)
  }
}

class WebSession implements Session {
  readonly #library: Library
  readonly #session: InferenceSession
  /** Its outputs that are on the graphics processor. */
  readonly #residents = new Set<GpuArray>()

  constructor(library: Library, session: InferenceSession) {
    this.#library = library
    this.#session = session
  }

  async run(inputs: readonly StoredArray[], targets: readonly Target[]): Promise<(TypedArray | Resident)[]> {
    const { Tensor } = this.#library
    const { inputNames, outputNames } = this.#session
    const named = byName(outputNames, targets)
    // A run blocks this thread, and code that awaits one continues before any event.
    await turn()
    return calls.add(async () => {
      const values = inputs.map(async ({ dtype, shape, data }) =>
        data instanceof GpuArray
          ? data.input(this.#library, dtype, shape)
          : new Tensor(dtype, data as TypedArray as never, shape),
      )
      const results = await this.#session.run(byName(inputNames, await Promise.all(values)), {
        logSeverityLevel: silent,
      })
      // Arrays of their own, which the library copied out of WebAssembly's memory: they are taken over.
      return Object.entries(named).map(([name, { shape }]) => {
        const result = results[name]
        if (result?.location === 'gpu-buffer') return new GpuArray(result, this.#residents)
        if (result?.size !== elementCount(shape))
          throw new TenfoldError(
            `the runtime gave ${result?.size ?? 'no'} numbers for an output of ${elementCount(shape)}`,
          )
        return result.data as TypedArray
      })
    })
  }

  release(): Promise<void> {
    return calls.add(async () => {
      for (const each of this.#residents) await each.readNow()
      await this.#session.release()
    })
  }

  endProfiling(): never {
    throw new TenfoldError('sessions cannot be profiled in a browser')
  }
}

/** Loads an ONNX model into ONNX Runtime for the web. `threads` and `spin` of one model are Node's: see `configure`. */
export const loadSession: Runtime['loadSession'] = async (model, options = {}) => {
  if (options.profile) throw new UsageError('profile: kernels are timed in Node only')
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined
    throw error
  })
  const library = await loaded
  const isGpu = settings.device === 'webgpu'
  const stay = Object.fromEntries((options.stay ?? []).map((name) => [name, 'gpu-buffer' as const]))
  const create = (): Promise<InferenceSession> =>
    library.InferenceSession.create(model, {
      executionProviders: isGpu ? ['webgpu'] : ['wasm'],
      graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
      logSeverityLevel: silent,
      enableMemPattern: false,
      extra: { optimization: { disable_specified_optimizers: disabledOptimizers(options) } },
      ...(isGpu && { preferredOutputLocation: stay }),
    })
  return new WebSession(library, await calls.add(create).catch(tellMissingFiles))
}

/** The library's complaint that it cannot load its own files, in our words; others as they are. */
function tellMissingFiles(error: unknown): never {
  const complaint = /no available backend found\. ERR: (.*)/.exec(error instanceof Error ? error.message : '')?.[1]
  if (complaint === undefined) throw error
  throw new TenfoldError(`the runtime's files could not be loaded: ${complaint}`, {
    hint: `${settings.files === undefined ? 'the folder of the bundled script' : settings.files} must have the files ort-wasm-* of onnxruntime-web/dist; \`files\` names another folder`,
    cause: error,
  })
}
