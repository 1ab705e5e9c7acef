/** ONNX Runtime as WebAssembly: the package onnxruntime-web, which a page brings along (docs/decisions/044-platforms.md). */
import type { InferenceSession } from 'onnxruntime-common'
import type { NDArray } from '../tensor/dtype.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import type { Runtime, Session } from './session.ts'
import { byName, disabledOptimizers } from './shared.ts'

/** Its build for the web has no kernels of the domain com.microsoft.nchwc. */
export const hasBlockedConvolutions = false

/** The runtime's log level at which it prints nothing: failures are thrown anyway. */
const silent = 4

type Library = typeof import('onnxruntime-web/wasm')

async function load(): Promise<Library> {
  try {
    return await import('onnxruntime-web/wasm')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TenfoldError(`the package onnxruntime-web can't be loaded: ${reason}`, {
      hint: 'in a browser models run with it: npm install onnxruntime-web',
      cause: error,
    })
  }
}

/** Gives the page time to draw and respond: a run blocks it, and code that awaits one continues before any event. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
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

/** Loads an ONNX model into ONNX Runtime (WebAssembly). `threads` and `spin` are the page's: `env.wasm` of onnxruntime-web. */
export const loadSession: Runtime['loadSession'] = async (model, options = {}) => {
  if (options.profile) throw new UsageError('profile: kernels are timed in Node only')
  const library = await load()
  const session = await library.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
    logSeverityLevel: silent,
    enableMemPattern: false,
    extra: { optimization: { disable_specified_optimizers: disabledOptimizers(options) } },
  })
  return new WebSession(library, session)
}
