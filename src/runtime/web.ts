/** ONNX Runtime as WebAssembly: the package onnxruntime-web, which a page brings along (docs/decisions/044-platforms.md). */
import type { InferenceSession } from 'onnxruntime-common'
import type { NDArray } from '../tensor/dtype.ts'
import { requireCount } from '../util/check.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { turn } from '../util/turn.ts'
import type { Runtime, RuntimeOptions, Session } from './session.ts'
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
  const { threads, files } = options
  if (threads !== undefined) requireCount('configure', 'threads', threads, 1, UsageError)
  if (threads !== undefined && threads > 1 && files === undefined)
    throw new UsageError(`configure: ${threads} threads need files, the folder with the files of onnxruntime-web`, {
      hint: 'each thread loads them by itself',
    })
  if (loaded && (threads !== settings.threads || files !== settings.files))
    throw new UsageError('configure: the runtime is loaded already, with other settings', {
      hint: 'start another worker',
    })
  settings = options
}

async function load(): Promise<Library> {
  try {
    const library = await import('onnxruntime-web/wasm')
    const { wasm } = library.env
    const { threads, files } = settings
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

class WebSession implements Session {
  readonly #library: Library
  readonly #session: InferenceSession

  constructor(library: Library, session: InferenceSession) {
    this.#library = library
    this.#session = session
  }

  async run(inputs: readonly NDArray[], outputs: readonly NDArray[]): Promise<void> {
    const { Tensor } = this.#library
    const { inputNames, outputNames } = this.#session
    const feeds = byName(
      inputNames,
      inputs.map(({ dtype, shape, data }) => new Tensor(dtype, data, shape)),
    )
    const targets = byName(outputNames, outputs)
    await turn()
    // It writes into no buffer of ours: results are copied out of its memory, and from there into the outputs.
    const results = await this.#session.run(feeds)
    for (const [name, { data }] of Object.entries(targets)) data.set(results[name]?.data as never)
  }

  release(): Promise<void> {
    return this.#session.release()
  }

  endProfiling(): never {
    throw new TenfoldError('sessions cannot be profiled in a browser')
  }
}

/** Loads an ONNX model into ONNX Runtime (WebAssembly). `threads` and `spin` of one model are Node's: see `configure`. */
export const loadSession: Runtime['loadSession'] = async (model, options = {}) => {
  if (options.profile) throw new UsageError('profile: kernels are timed in Node only')
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined
    throw error
  })
  const library = await loaded
  const session = await library.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
    logSeverityLevel: silent,
    enableMemPattern: false,
    extra: { optimization: { disable_specified_optimizers: disabledOptimizers(options) } },
  })
  return new WebSession(library, session)
}
