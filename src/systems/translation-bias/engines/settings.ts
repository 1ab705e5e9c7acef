/** The settings of a translator, which every audit has. */
import { z } from 'zod'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { commandEngine } from './command.ts'
import { type Engine, severalOf } from './engine.ts'
import { fileEngine } from './file.ts'
import { httpEngine } from './http.ts'
import { neuralEngine } from './neural.ts'
import { onnxEngine } from './onnx.ts'
import { serviceOf } from './services.ts'

/** Which translator, and how patiently it is asked. */
export const engineSettings = {
  engine: z
    .enum(['command', 'file', 'neural', 'onnx', 'libretranslate', 'deepl', 'google-v2', 'google-v3'])
    .default('command')
    .describe('what translates: a local command, a file of translations, a neural model, or a service'),
  command: z
    .string()
    .default('')
    .describe(
      'command: reads a text a line, writes a translation a line; {source} and {target} are the codes of the languages',
    ),
  file: pathSetting('file: lines of source, tab, translation'),
  models: pathSetting(
    'onnx: the folder of a model; neural: a folder with a folder for each pair of languages, such as huen; empty: English and Portuguese, of `tenfold data translators`',
  ),
  beam: count.default(0).describe("neural and onnx: translations that are followed at once; 0: the model's own number"),
  alternatives: whole
    .default(1)
    .describe('onnx, libretranslate, and neural with sample: translations of each text that are shown'),
  sample: z
    .boolean()
    .default(false)
    .describe('onnx and neural: draw words by their probability instead of the likeliest'),
  temperature: z.number().positive().default(1).describe('onnx: of the probability that is drawn from'),
  url: z.string().default('').describe('services: the address of the server; empty: the usual one'),
  batch: whole.default(200).describe('texts at once, at most'),
  timeout: z.number().positive().default(600).describe('seconds that a batch may take'),
  retries: count.default(5).describe('services: further tries of a request that failed'),
  pause: z
    .number()
    .min(0)
    .default(1)
    .describe('services: seconds between requests; before further tries twice as long each time'),
}

type EngineSettings = z.infer<z.ZodObject<typeof engineSettings>>

/** Opens the translator. Throws a UsageError where something is missing that it needs. */
export async function engineOf(
  settings: EngineSettings,
  { seed, threads }: { readonly seed: number; readonly threads?: number },
): Promise<Engine> {
  return severalOf(await openEngine(settings, seed, threads), settings.alternatives)
}

async function openEngine(settings: EngineSettings, seed: number, threads: number | undefined): Promise<Engine> {
  const { engine, command, file, models, beam, sample, temperature, url, batch, timeout, retries, pause } = settings
  switch (engine) {
    case 'command':
      return commandEngine(command, { batch, timeout })
    case 'file':
      return fileEngine(file)
    case 'neural':
      return neuralEngine({ folder: models, beam: Math.max(1, beam), sample, seed })
    case 'onnx': {
      const options = { folder: models, beam, sample, temperature, seed, batch }
      return onnxEngine({ ...options, ...(threads !== undefined && { threads }) })
    }
    default:
      return httpEngine(serviceOf(engine, url), { batch, timeout, retries, pause })
  }
}
