/** ONNX Runtime's native library, through its binding for Node. Both are in `vendor/onnxruntime` (docs/decisions/042-runtime-in-the-package.md). */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { env, type InferenceSession, Tensor } from 'onnxruntime-common'
import { TenfoldError } from '../util/errors.ts'
import { disableTelemetry } from './telemetry.ts'

/** Tensors by name. */
export type Tensors = Record<string, Tensor>

/** A session as the binding has it: every call blocks the thread. */
export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: InferenceSession.SessionOptions): void
  readonly inputMetadata: readonly { readonly name: string }[]
  readonly outputMetadata: readonly { readonly name: string }[]
  /** Outputs are written into the tensors of `fetches`; those that are null there are made. */
  run(feeds: Tensors, fetches: Record<string, Tensor | null>, options: InferenceSession.RunOptions): Tensors
  /** Ends profiling and writes the profile's file. */
  endProfiling(): void
  dispose(): void
}

/** The version of ONNX Runtime: all parts of a release have the same one. */
export const runtimeVersion = env.versions.common

/** What the native module exports. */
interface Binding {
  readonly InferenceSession: new () => NativeSession
  initOrtOnce(logLevel: number, tensorConstructor: typeof Tensor, isMainThread: boolean): void
}

/** The runtime's log level at which it prints nothing: failures are thrown anyway. */
export const silent = 4

/** PLATFORM-ARCHITECTURE of each library, and what else it needs. */
const platforms: Readonly<Record<string, string>> = {
  'darwin-arm64': 'it needs macOS 14 or newer',
  'linux-arm64': 'it needs glibc 2.28 or newer, which Alpine does not have',
  'linux-x64': 'it needs glibc 2.28 or newer, which Alpine does not have',
  'win32-arm64': 'it needs the Visual C++ Redistributable 2015-2022',
  'win32-x64': 'it needs the Visual C++ Redistributable 2015-2022',
}

const vendor = new URL('../../vendor/onnxruntime/', import.meta.url)

/** The native module for a platform (this one), from the folder of all. Throws a TenfoldError if there is none or it cannot be loaded. */
export function requireBinding(platform = `${process.platform}-${process.arch}`, folder = vendor): Binding {
  const needs = platforms[platform]
  if (needs === undefined) {
    const hint = platform === 'darwin-x64' ? { hint: 'on a Mac with Apple silicon, use the arm64 build of Node' } : {}
    const known = Object.keys(platforms).join(', ')
    throw new TenfoldError(`ONNX Runtime has no library for ${platform}, only for ${known}`, hint)
  }
  const file = fileURLToPath(new URL(`${platform}/onnxruntime_binding.node`, folder))
  if (!existsSync(file)) {
    throw new TenfoldError(`ONNX Runtime's library for ${platform} is not installed: no file ${file}`, {
      hint: 'in a clone of tenfold: npm run setup',
    })
  }
  try {
    return createRequire(import.meta.url)(file) as Binding
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    throw new TenfoldError(`ONNX Runtime's library for ${platform} can't be loaded: ${reason}`, {
      hint: needs,
      cause: error,
    })
  }
}

async function load(): Promise<Binding> {
  const binding = requireBinding()
  await disableTelemetry()
  binding.initOrtOnce(silent, Tensor, isMainThread)
  return binding
}

let loaded: Promise<Binding> | undefined

/** Makes an empty session; the first one loads the library. */
export async function newSession(): Promise<NativeSession> {
  loaded ??= load().catch((error: unknown) => {
    loaded = undefined
    throw error
  })
  const { InferenceSession } = await loaded
  return new InferenceSession()
}
