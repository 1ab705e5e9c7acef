import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import type { DType, NDArray, TypedArray } from '../tensor/dtype.ts'
import { TenfoldError } from '../util/errors.ts'
import type { KernelTime, Session, SessionOptions } from './session.ts'

// A view of a buffer is wrapped once: variables pass the same two buffers at every step.
const wrapped = new WeakMap<TypedArray, ort.Tensor>()

function wrap(array: NDArray): ort.Tensor {
  const known = wrapped.get(array.data)
  if (known && known.dims.length === array.shape.length && known.dims.every((size, i) => size === array.shape[i]))
    return known
  const tensor = new ort.Tensor(array.dtype, array.data, array.shape)
  wrapped.set(array.data, tensor)
  return tensor
}

function unwrap(tensor: ort.Tensor): NDArray {
  // The five dtypes of tenfold carry the runtime's own names, and graphs contain no others.
  return { dtype: tensor.type as DType, shape: tensor.dims, data: tensor.data as TypedArray }
}

/** One entry of the runtime's profile file, which is a Chrome trace. */
interface ProfileEvent {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args: { readonly op_name?: string }
}

const kernelSuffix = '_kernel_time'

class NodeSession implements Session {
  readonly #session: ort.InferenceSession
  /** The folder for the runtime's profile file, if there is one. */
  readonly #profile: string | undefined

  constructor(session: ort.InferenceSession, profile?: string) {
    this.#session = session
    this.#profile = profile
  }

  async run(inputs: readonly NDArray[], outputs: readonly (NDArray | undefined)[]): Promise<readonly NDArray[]> {
    const feeds: Record<string, ort.Tensor> = {}
    const fetches: Record<string, ort.Tensor | null> = {}
    for (const [i, name] of this.#session.inputNames.entries()) {
      const input = inputs[i]
      if (!input)
        throw new TenfoldError(`the model needs ${this.#session.inputNames.length} inputs, found ${inputs.length}`)
      feeds[name] = wrap(input)
    }
    for (const [i, name] of this.#session.outputNames.entries()) {
      const output = outputs[i]
      fetches[name] = output ? wrap(output) : null
    }
    const results = await this.#session.run(feeds, fetches)
    return this.#session.outputNames.map((name, i) => {
      const given = outputs[i]
      const result = results[name]
      if (given) return given
      if (!result) throw new TenfoldError(`the runtime returned no output "${name}"`)
      return unwrap(result)
    })
  }

  async release(): Promise<void> {
    await this.#session.release()
  }

  endProfiling(): readonly KernelTime[] {
    this.#session.endProfiling()
    const folder = this.#profile
    if (folder === undefined) return []
    const [file = ''] = readdirSync(folder)
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as ProfileEvent[]
    rmSync(folder, { recursive: true })
    return events
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith(kernelSuffix))
      .map(({ name, dur, args }) => ({
        node: name.slice(0, -kernelSuffix.length),
        op: args.op_name ?? '',
        microseconds: dur,
      }))
  }
}

/** Loads an ONNX model into ONNX Runtime (CPU). */
export async function loadSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const entries: Record<string, unknown> = {}
  const session: Record<string, unknown> = { intra_op: { allow_spinning: options.spin === false ? '0' : '1' } }
  if (options.disabledOptimizers?.length) session.disable_specified_optimizers = options.disabledOptimizers.join(';')
  Object.assign(entries, { session })
  const profile = options.profile ? mkdtempSync(join(tmpdir(), 'tenfold-profile-')) : undefined
  return new NodeSession(
    await ort.InferenceSession.create(model, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
      logSeverityLevel: 3,
      // With its pattern the runtime keeps two sets of buffers, those of the first run too: a third to a half more memory.
      enableMemPattern: false,
      extra: entries,
      ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
      ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: join(profile, 'run') }),
    }),
    profile,
  )
}
