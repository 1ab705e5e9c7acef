/** ONNX models of others, with tensors by name and of any size: what `Session` does for tenfold's own. Node only. */
import { Tensor } from 'onnxruntime-common'
import { dtypes, type NDArray } from '../tensor/dtype.ts'
import { shown } from '../util/check.ts'
import { FormatError, TenfoldError } from '../util/errors.ts'
import { type NativeSession, newSession, silent } from './binding.ts'

/** Tensors by the names of a model's inputs or outputs. */
export type NamedArrays = Readonly<Record<string, NDArray>>

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''

/** A loaded model. */
export class OnnxModel {
  /** For messages. */
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly #session: NativeSession

  private constructor(name: string, session: NativeSession) {
    this.name = name
    this.#session = session
    this.inputs = session.inputMetadata.map((each) => each.name)
    this.outputs = session.outputMetadata.map((each) => each.name)
  }

  /** Throws a FormatError that names the file unless it is a model that ONNX Runtime can run. */
  static async load(
    bytes: Uint8Array,
    name: string,
    { threads }: { readonly threads?: number } = {},
  ): Promise<OnnxModel> {
    const session = await newSession()
    try {
      session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        logSeverityLevel: silent,
        ...(threads !== undefined && { intraOpNumThreads: threads }),
      })
    } catch (error) {
      throw new FormatError(`${name} must be an ONNX model: ${firstLine(error)}`, { cause: error })
    }
    return new OnnxModel(name, session)
  }

  /** Runs it. Blocks the thread. Throws a TenfoldError for inputs that do not fit. */
  run(inputs: NamedArrays): NamedArrays {
    const missing = this.inputs.find((each) => inputs[each] === undefined)
    if (missing !== undefined) throw new TenfoldError(`${this.name} needs the input "${missing}", found none`)
    const feeds = Object.fromEntries(
      this.inputs.flatMap((each) => {
        const array = inputs[each]
        return array ? [[each, this.#tensorOf(each, array)]] : []
      }),
    )
    const fetches = Object.fromEntries(this.outputs.map((each) => [each, null]))
    try {
      const found = this.#session.run(feeds, fetches, {})
      return Object.fromEntries(this.outputs.map((each) => [each, arrayOf(`${this.name}: ${each}`, found[each])]))
    } catch (error) {
      if (error instanceof TenfoldError) throw error
      throw new TenfoldError(`${this.name} could not be run: ${firstLine(error)}`, { cause: error })
    }
  }

  #tensorOf(name: string, array: NDArray): Tensor {
    const { dtype, shape, data } = array as Partial<NDArray>
    if (dtype === undefined || !Array.isArray(shape) || !ArrayBuffer.isView(data))
      throw new TenfoldError(
        `${this.name}: the input "${name}" must be an array, { dtype, shape, data }, found ${shown(array)}`,
      )
    try {
      return new Tensor(dtype, data, shape)
    } catch (error) {
      throw new TenfoldError(`${this.name}: the input "${name}": ${firstLine(error)}`, { cause: error })
    }
  }

  /** Frees the native memory. */
  release(): void {
    this.#session.dispose()
  }
}

function arrayOf(name: string, tensor: Tensor | undefined): NDArray {
  const dtype = dtypes.find((each) => each === tensor?.type)
  if (tensor === undefined || dtype === undefined)
    throw new TenfoldError(`${name} must be a tensor of ${dtypes.join(', ')}, found ${tensor?.type ?? 'none'}`)
  // The type decides the array that holds the data.
  return { dtype, shape: tensor.dims, data: tensor.data as NDArray['data'] }
}
