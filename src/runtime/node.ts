import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Tensor } from 'onnxruntime-common'
import { isResident, type NDArray, type Resident, type StoredArray, type TypedArray } from '../tensor/dtype.ts'
import { TenfoldError, UsageError } from '../util/errors.ts'
import { type NativeSession, newSession, silent } from './binding.ts'
import type { KernelTime, RuntimeOptions, Session, SessionOptions, Target } from './session.ts'
import { byName, disabledOptimizers } from './shared.ts'
import { isRefusal, unreadableName, unreadableOp, withUnreadableOutput } from './unreadable-output.ts'

// A view of a buffer is wrapped once: variables pass the same two buffers at every step.
const wrapped = new WeakMap<TypedArray, Tensor>()

/** Whether a wrapper can be reused: the bytes of uint8 may also be requested as bool. */
function describes(known: Tensor, { dtype, shape }: Pick<NDArray, 'dtype' | 'shape'>): boolean {
  return known.type === dtype && known.dims.length === shape.length && known.dims.every((size, i) => size === shape[i])
}

/** An array's numbers as the binding takes them. */
function wrap(data: TypedArray | Resident, array: Pick<NDArray, 'dtype' | 'shape'>): Tensor {
  if (isResident(data)) throw new TenfoldError('internal: in Node no numbers lie outside of its memory')
  const known = wrapped.get(data)
  if (known && describes(known, array)) return known
  // The binding takes no shared memory; what it holds may change, so it is copied at every run.
  if (data.buffer instanceof SharedArrayBuffer) return new Tensor(array.dtype, data.slice(), array.shape)
  const tensor = new Tensor(array.dtype, data, array.shape)
  wrapped.set(data, tensor)
  return tensor
}

/** Whether the runtime's convolutions with channels in blocks (its domain com.microsoft.nchwc) are built for this processor. */
export const hasBlockedConvolutions = process.arch === 'x64'

/** The runtime's build for processors has all of them. */
export const hasKernel = (): boolean => true

/** One entry of the runtime's profile file, which is a Chrome trace. */
interface ProfileEvent {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args: { readonly op_name?: string }
}

const kernelSuffix = '_kernel_time'

class NodeSession implements Session {
  readonly #session: NativeSession
  readonly #inputNames: readonly string[]
  readonly #outputNames: readonly string[]
  /** Whether the unreadable output is requested: as long as the binding reacts to it as expected. */
  #stopsBeforeCopies = true
  /** The folder for the runtime's profile file, if there is one. */
  readonly #profile: string | undefined

  constructor(session: NativeSession, profile?: string) {
    this.#session = session
    this.#inputNames = session.inputMetadata.map(({ name }) => name)
    this.#outputNames = session.outputMetadata.map(({ name }) => name).filter((name) => name !== unreadableName)
    this.#profile = profile
  }

  async run(inputs: readonly StoredArray[], targets: readonly Target[]): Promise<TypedArray[]> {
    const written = targets.map(({ buffer }) => buffer())
    const feeds = byName(
      this.#inputNames,
      inputs.map((input) => wrap(input.data, input)),
    )
    const fetches = byName(
      this.#outputNames,
      targets.map((target, i) => wrap(written[i] as TypedArray, target)),
    )
    // The run blocks this thread: pending work goes first.
    await setImmediate()
    if (this.#stopsBeforeCopies) {
      try {
        this.#session.run(feeds, { [unreadableName]: null, ...fetches }, {})
        return written
      } catch (error) {
        if (isRefusal(error)) return written
      }
    }
    // Another error comes from the run itself and is thrown here; or the binding's message has changed: then it copies.
    this.#session.run(feeds, fetches, {})
    this.#stopsBeforeCopies = false
    return written
  }

  async release(): Promise<void> {
    this.#session.dispose()
    // A profile that was not requested; the runtime writes the rest of it when the session ends.
    if (this.#profile !== undefined) rmSync(this.#profile, { recursive: true, force: true })
  }

  endProfiling(): readonly KernelTime[] {
    this.#session.endProfiling()
    const folder = this.#profile
    if (folder === undefined) return []
    const [file = ''] = readdirSync(folder)
    const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as ProfileEvent[]
    rmSync(folder, { recursive: true })
    return events
      .filter(({ cat, name, args }) => {
        return cat === 'Node' && name.endsWith(kernelSuffix) && args.op_name !== unreadableOp
      })
      .map(({ name, dur, args }) => ({
        node: name.slice(0, -kernelSuffix.length),
        op: args.op_name ?? '',
        microseconds: dur,
      }))
  }
}

const warnedOf = new Set<number>()

/** Threads that are worth starting: more than there are cores wait for one another and may take a thousand times as long. */
function usableThreads(wanted: number): number {
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    throw new UsageError(`threads: must be a whole number of at least 1, found ${wanted}`)
  }
  const cores = availableParallelism()
  if (wanted <= cores) return wanted
  if (!warnedOf.has(wanted)) {
    warnedOf.add(wanted)
    process.emitWarning(`${wanted} threads are more than this machine has cores: ${cores} are used`, 'TenfoldWarning')
  }
  return cores
}

let defaultThreads: number | undefined

/** See `Runtime.configure`. */
export function configure({ device = 'cpu', threads, files }: RuntimeOptions): void {
  if (device !== 'cpu') throw new UsageError(`device: in Node models run on the processor (cpu), found ${device}`)
  if (files !== undefined) throw new UsageError('files: only a browser fetches the files of the runtime')
  defaultThreads = threads
}

/** Loads an ONNX model into ONNX Runtime (CPU). */
export async function loadSession(model: Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const session = { intra_op: { allow_spinning: options.spin === false ? '0' : '1' } }
  const threads = options.threads ?? defaultThreads
  const profile = options.profile ? mkdtempSync(join(tmpdir(), 'tenfold-profile-')) : undefined
  const native = await newSession()
  const bytes = withUnreadableOutput(model)
  native.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
    logSeverityLevel: silent,
    // With its pattern the runtime keeps two sets of buffers, those of the first run too: a third to a half more memory.
    enableMemPattern: false,
    extra: { session, optimization: { disable_specified_optimizers: disabledOptimizers(options) } },
    ...(threads !== undefined && { intraOpNumThreads: usableThreads(threads) }),
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: join(profile, 'run') }),
  })
  return new NodeSession(native, profile)
}
