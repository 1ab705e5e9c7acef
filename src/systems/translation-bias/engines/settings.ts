/** The settings of a translator, which every audit has. */
import { z } from 'zod'
import { count, pathSetting, whole } from '../../../train/settings.ts'
import { commandEngine } from './command.ts'
import type { Engine } from './engine.ts'
import { fileEngine } from './file.ts'
import { httpEngine } from './http.ts'
import { serviceOf } from './services.ts'

/** Which translator, and how patiently it is asked. */
export const engineSettings = {
  engine: z
    .enum(['command', 'file', 'libretranslate', 'deepl', 'google-v2', 'google-v3'])
    .default('command')
    .describe('what translates: a local command, a file of translations, or a service'),
  command: z
    .string()
    .default('')
    .describe(
      'command: reads a text a line, writes a translation a line; {source} and {target} are the codes of the languages',
    ),
  file: pathSetting('file: lines of source, tab, translation'),
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
export async function engineOf(settings: EngineSettings): Promise<Engine> {
  const { engine, command, file, url, batch, timeout, retries, pause } = settings
  if (engine === 'command') return commandEngine(command, { batch, timeout })
  if (engine === 'file') return fileEngine(file)
  return httpEngine(serviceOf(engine, url), { batch, timeout, retries, pause })
}
