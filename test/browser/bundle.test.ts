/** Bundles of the built package, as a page would have them: nothing in them needs Node, and they run with a browser's globals. */
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { Tensor } from 'onnxruntime-common'
import { type OutputChunk, rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import { compile } from '../../src/compile/compile.ts'
import { Linear } from '../../src/nn/index.ts'
import * as ops from '../../src/ops/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { newSession, type Tensors } from '../../src/runtime/binding.ts'
import { manualSeed } from '../../src/tensor/random-state.ts'
import { tensor } from '../../src/tensor/tensor.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** One file for browsers. */
interface Bundle {
  readonly code: string
  /** The packages in it. */
  readonly packages: readonly string[]
}

/** Modules that are not files: what is bundled, and a stand-in for the package that a page brings along. */
const modules: Readonly<Record<string, string>> = {
  'onnxruntime-web/wasm': 'export const { InferenceSession, Tensor, env } = globalThis.onnxruntime',
  'onnxruntime-web/webgpu': 'export default undefined',
}

/** Bundles and minifies modules of dist, by name in the global `bundle`. Fails if anything is left to import. */
async function bundleOf(what: string, parts: Readonly<Record<string, string>>): Promise<Bundle> {
  const exports = Object.entries(parts).map(([name, file]) => `export * as ${name} from '${root}dist/${file}.js'`)
  const own: Readonly<Record<string, string>> = { ...modules, entry: exports.join('\n') }
  const bundler = await rolldown({
    input: 'entry',
    platform: 'browser',
    // The package's own "imports" say what #runtime is, not the paths of this clone's compiler.
    tsconfig: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'modules',
        resolveId: (id) => (id in own ? { id: `\0${id}`, moduleSideEffects: true } : null),
        load: (id) => own[id.slice(1)] ?? null,
      },
    ],
  })
  const { output } = await bundler.generate({ format: 'iife', name: 'bundle', minify: true, codeSplitting: false })
  await bundler.close()
  const [chunk, ...others] = output as [OutputChunk, ...OutputChunk[]]
  const outside = chunk.imports.concat(chunk.dynamicImports).filter((name) => name !== chunk.fileName)
  expect([...outside, ...others.map(({ fileName }) => fileName)]).toEqual([])
  const packages = Object.keys(chunk.modules).flatMap(
    (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  )
  const size = (bytes: number): string => `${Math.round(bytes / 1000)} KB`
  console.log(`${what}: ${size(chunk.code.length)}, ${size(gzipSync(chunk.code).length)} gzipped`)
  return { code: chunk.code, packages: [...new Set(packages)].sort() }
}

/** onnxruntime-web as far as it is used, by the library for Node. */
const onnxruntime = {
  Tensor,
  env: { wasm: {} },
  InferenceSession: {
    create: async ({ buffer, byteOffset, byteLength }: Uint8Array, options: object) => {
      const session = await newSession()
      session.loadModel(buffer, byteOffset, byteLength, { ...options, executionProviders: ['cpu'] })
      const outputNames = session.outputMetadata.map(({ name }) => name)
      const none = Object.fromEntries(outputNames.map((name) => [name, null]))
      return {
        inputNames: session.inputMetadata.map(({ name }) => name),
        outputNames,
        run: async (feeds: Tensors) => session.run(feeds, none, {}),
        release: async () => session.dispose(),
      }
    },
  },
}

/** What browsers have beside the language, as far as it is used; and arrays that the stand-in takes for its own. */
const browserGlobals = {
  ...{ btoa, console, MessageChannel, performance, queueMicrotask, TextDecoder, TextEncoder },
  ...{ ArrayBuffer, BigInt64Array, Float32Array, Int32Array, Uint8Array },
  onnxruntime,
}

/** Runs a program of a page that has the bundle. */
function run<T>({ code }: Bundle, program: string): T {
  return runInContext(`${code}\n${program}`, createContext({ ...browserGlobals })) as T
}

const core = {
  tensor: 'tensor/tensor',
  random: 'tensor/random-state',
  ops: 'ops/index',
  autodiff: 'autodiff/gradient',
  compile: 'compile/compile',
  onnx: 'compile/export',
  nn: 'nn/index',
  optim: 'optim/index',
  models: 'models/index',
}

/** Names in the state dicts and losses of five steps of a small network; written for both: the page has the modules in one object. */
async function trainSmall(tenfold: {
  compile: typeof compile
  manualSeed: typeof manualSeed
  Linear: typeof Linear
  ops: typeof ops
  AdamW: typeof AdamW
  tensor: typeof tensor
}): Promise<{ readonly names: string[]; readonly losses: number[] }> {
  const { AdamW, Linear, compile, manualSeed, ops, tensor } = tenfold
  manualSeed(1)
  const [first, second] = [new Linear(2, 8), new Linear(8, 3)]
  const optimizer = new AdamW([...first.parameters(), ...second.parameters()], { lr: 0.1 })
  const step = compile((x: typeof inputs, labels: typeof classes) => {
    const loss = ops.crossEntropy(second.forward(ops.gelu(first.forward(x))), labels)
    optimizer.minimize(loss)
    return loss
  })
  const inputs = tensor([
    [1, 2],
    [3, -1],
    [0, 1],
  ])
  const classes = tensor([0, 1, 2], 'int32')
  const losses: number[] = []
  for (let i = 0; i < 5; i++) losses.push((await step(inputs, classes)).item())
  const names = [...first.variables(), ...optimizer.variables()].map(([name]) => name)
  return { names, losses }
}

test("the library trains with a browser's globals as it does in Node", async () => {
  const training = {
    dataset: 'data/dataset',
    loader: 'data/loader',
    classifier: 'tasks/pictures/classifier',
    loop: 'train/loop',
  }
  const bundle = await bundleOf('the library', { ...core, ...training })
  expect(bundle.packages).toEqual(['@bufbuild/protobuf', '@noble/ciphers', 'onnx-buf'])
  const modules =
    '{ ...bundle.compile, ...bundle.nn, ...bundle.optim, ...bundle.tensor, ...bundle.random, ops: bundle.ops }'
  const inPage = await run<ReturnType<typeof trainSmall>>(bundle, `(${trainSmall})(${modules})`)
  expect(inPage).toEqual(await trainSmall({ AdamW, compile, manualSeed, Linear, ops, tensor }))
  expect(inPage.losses[4]).toBeLessThan(inPage.losses[0] ?? 0)
})

/** What a small GPT-2 of random weights writes, drawn and by beams; written for both. */
async function writeSmall(
  { manualSeed }: { manualSeed: typeof import('../../src/tensor/random-state.ts').manualSeed },
  { Decoder, generate, GPT2LMHeadModel }: typeof import('../../src/models/index.ts'),
): Promise<number[][]> {
  manualSeed(2)
  const model = new GPT2LMHeadModel({ vocab_size: 40, n_positions: 32, n_embd: 8, n_layer: 2, n_head: 2 }).eval()
  const decoder = new Decoder(model, { threads: 1 })
  const drawn = await generate(decoder, [[1, 2], [3]], { temperature: 1.2, topP: 0.9, maxNewTokens: 5, seed: 3 })
  const beams = await generate(decoder, [[1, 2]], { numBeams: 2, maxNewTokens: 5 })
  await decoder.release()
  return [...drawn, ...beams].map(({ tokens }) => [...tokens])
}

test('a language model writes the same in a page', async () => {
  const bundle = await bundleOf('the library', core)
  const inPage = await run<Promise<number[][]>>(bundle, `(${writeSmall})(bundle.random, bundle.models)`)
  const here = await writeSmall({ manualSeed }, await import('../../src/models/index.ts'))
  expect(Array.from(inPage, (tokens) => Array.from(tokens))).toEqual(here)
})

test('a tensor has its numbers, whatever was imported beside it', async () => {
  const bundle = await bundleOf('tensors and compile', { tensor: core.tensor, ops: core.ops, compile: core.compile })
  const program = 'bundle.ops.add(bundle.tensor.tensor([1, 2]), 1).numbers()'
  expect(Array.from(await run<Promise<number[]>>(bundle, program))).toEqual([2, 3])
})

test.each(['mixer', 'fnet', 'frozen-transformer'])('the model of %s, without a schema of settings', async (system) => {
  const parts = { model: `systems/${system}/model`, config: `systems/${system}/config` }
  const { packages } = await bundleOf(`${system}: the model`, parts)
  expect(packages).toEqual(['@noble/ciphers'])
})

test.each(['mixer', 'fnet', 'frozen-transformer'])(
  'the model of %s and the figures that explain it',
  async (system) => {
    const parts = { model: `systems/${system}/model`, explain: `systems/${system}/explain` }
    const bundle = await bundleOf(`${system}: the model and its explanation`, parts)
    expect(run(bundle, 'Object.keys(bundle).length')).toBe(2)
  },
)

test('formats of tensors, and tokenizers', async () => {
  const bundle = await bundleOf('formats and tokenizers', {
    formats: 'io/tensor-format',
    safetensors: 'io/safetensors',
    sentencepiece: 'data/text/sentencepiece',
    tokenizers: 'data/text/train-tokenizer',
  })
  const program = `const { readSafetensors, writeSafetensors } = bundle.safetensors
    const bytes = writeSafetensors([['x', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }]])
    bundle.formats.parseTensorFile(bytes).then(({ tensors }) => String(tensors.get('x').data))`
  expect(await run(bundle, program)).toBe('1,2')
})
