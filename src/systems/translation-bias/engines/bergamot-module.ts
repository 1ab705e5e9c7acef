/** Bergamot's translation engine in WebAssembly (npm `@browsermt/bergamot-translator`, MPL-2.0): Marian's transformer in 8 bits. */
import { createContext, runInContext } from 'node:vm'
import { FormatError } from '../../../util/errors.ts'

/** What lives in the engine's memory, and is freed by hand. */
interface Native {
  delete(): void
}

interface NativeList<T> extends Native {
  push_back(item: T): void
}

interface AlignedMemory extends Native {
  getByteArrayView(): Int8Array
}

/** A loaded model. */
export type BergamotModel = Native

/** What an answer of the engine is asked for. */
interface ResponseOptions {
  readonly qualityScores: boolean
  readonly alignment: boolean
  readonly html: boolean
}

/** The classes that the engine exports. */
interface BergamotExports {
  readonly AlignedMemory: new (bytes: number, alignment: number) => AlignedMemory
  readonly AlignedMemoryList: new () => NativeList<AlignedMemory>
  readonly VectorString: new () => NativeList<string>
  readonly VectorResponseOptions: new () => NativeList<ResponseOptions>
  readonly TranslationModel: new (
    config: string,
    model: AlignedMemory,
    shortlist: AlignedMemory,
    vocabularies: NativeList<AlignedMemory>,
    quality: null,
  ) => BergamotModel
  readonly BlockingService: new (options: { readonly cacheSize: number }) => BergamotService
}

interface BergamotService {
  translate(
    model: BergamotModel,
    texts: NativeList<string>,
    options: NativeList<ResponseOptions>,
  ): Native & { get(i: number): { getTranslatedText(): string } }
}

/** The files of a model, as they are. */
export interface BergamotFiles {
  readonly model: Uint8Array
  readonly shortlist: Uint8Array
  /** One for both languages, or source and target. */
  readonly vocabularies: readonly Uint8Array[]
}

/** Multiplications of 8-bit matrices: what the engine imports, and its own functions that do it where the browser has none. */
const multiplications: Readonly<Record<string, string>> = {
  int8_prepare_a: 'int8PrepareAFallback',
  int8_prepare_b: 'int8PrepareBFallback',
  int8_prepare_b_from_transposed: 'int8PrepareBFromTransposedFallback',
  int8_prepare_b_from_quantized_transposed: 'int8PrepareBFromQuantizedTransposedFallback',
  int8_prepare_bias: 'int8PrepareBiasFallback',
  int8_multiply_and_add_bias: 'int8MultiplyAndAddBiasFallback',
  int8_select_columns_of_b: 'int8SelectColumnsOfBFallback',
}

/** Bytes that models and the rest must begin at multiples of. */
const modelAlignment = 256
const otherAlignment = 64

/** The first line of an error's message. Errors of the script's own context are no `Error` here. */
function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error
  return String(hasMessage ? error.message : error).split('\n', 1)[0] ?? ''
}

/** The engine, started once. */
export class BergamotModule {
  readonly #exports: BergamotExports
  readonly #service: BergamotService

  private constructor(exports: BergamotExports) {
    this.#exports = exports
    this.#service = new exports.BlockingService({ cacheSize: 0 })
  }

  /**
   * Starts it. `glue`: the package's script, which runs in a context of its own, without Node's modules: it can neither read files nor
   * reach a network. Throws a FormatError if these are not the engine's files.
   */
  static async start(glue: string, wasm: Uint8Array<ArrayBuffer>): Promise<BergamotModule> {
    try {
      const exports = await new Promise<unknown>((resolve, reject) => {
        const module: Record<string, unknown> = {
          print: () => {},
          printErr: () => {},
          onRuntimeInitialized: () => resolve(module),
          instantiateWasm: (imports: WebAssembly.Imports, accept: (instance: WebAssembly.Instance) => void) => {
            // The functions are the instance's own, which is not there yet.
            let own: Record<string, unknown> = {}
            const wasm_gemm = Object.fromEntries(
              Object.entries(multiplications).map(([name, fallback]) => [
                name,
                (...operands: unknown[]) => (own[fallback] as (...all: unknown[]) => unknown)(...operands),
              ]),
            )
            WebAssembly.instantiate(wasm, { ...imports, wasm_gemm }).then(({ instance }) => {
              own = instance.exports
              accept(instance)
            }, reject)
            return {}
          },
        }
        const { console, crypto, performance } = globalThis
        const context = { Module: module, WebAssembly, TextDecoder, console, crypto, performance }
        runInContext(glue, createContext(context), { filename: 'bergamot-translator-worker.js' })
      })
      return new BergamotModule(exports as BergamotExports)
    } catch (error) {
      throw new FormatError(`the translation engine cannot be started: ${messageOf(error)}`, { cause: error })
    }
  }

  #memory(bytes: Uint8Array, alignment: number): AlignedMemory {
    const memory = new this.#exports.AlignedMemory(bytes.length, alignment)
    memory.getByteArrayView().set(bytes)
    return memory
  }

  /** A model with Marian's settings, as lines of YAML. Throws what the engine throws for files that are no model. */
  load({ model, shortlist, vocabularies }: BergamotFiles, settings: string): BergamotModel {
    const list = new this.#exports.AlignedMemoryList()
    for (const each of vocabularies) list.push_back(this.#memory(each, otherAlignment))
    const memories = [this.#memory(model, modelAlignment), this.#memory(shortlist, otherAlignment)] as const
    return new this.#exports.TranslationModel(settings, ...memories, list, null)
  }

  /** A translation of each text. Blocks until all are done. */
  translate(model: BergamotModel, texts: readonly string[]): string[] {
    const input = new this.#exports.VectorString()
    const options = new this.#exports.VectorResponseOptions()
    for (const text of texts) {
      input.push_back(text)
      options.push_back({ qualityScores: false, alignment: false, html: false })
    }
    const found = this.#service.translate(model, input, options)
    const translations = texts.map((_, i) => found.get(i).getTranslatedText())
    for (const each of [input, options, found]) each.delete()
    return translations
  }
}
