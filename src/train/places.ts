/** The files and folders named by settings: at the start of a run, and later, when the run or its data may have moved. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { pathSettings, replaceSettings, type Settings } from './settings.ts'

/** By the setting's path: where it was, absolutely and seen from the run directory. */
export const placesSchema = z.record(z.string(), z.strictObject({ absolute: z.string(), fromRun: z.string() }))

export type Places = z.infer<typeof placesSchema>

/** A configuration in which paths that begin with `~/` begin with the home folder. */
export function expandHomes<T extends Settings>(schema: z.ZodType<T>, config: T): T {
  const homes = [...pathSettings(schema, config)]
    .filter(([, value]) => /^~($|[/\\])/.test(value))
    .map(([path, value]) => [path, join(homedir(), value.slice(1))] as const)
  return replaceSettings(config, new Map(homes)) as T // texts for texts
}

/** The locations of the paths in the settings of a new run. */
export function recordPlaces(schema: z.ZodType<Settings>, config: Settings, run: string): Places {
  const places = [...pathSettings(schema, config)].map(([path, value]) => {
    const absolute = resolve(value)
    return [path, { absolute, fromRun: relative(resolve(run), absolute) }] as const
  })
  return Object.fromEntries(places)
}

/**
 * A run's configuration with paths that work now: where each was; else where it is seen from the run directory, if all was moved
 * together; else as it was written, seen from the working directory. A path that does not exist stays as it was, for the message.
 */
export function findPlaces<T extends Settings>(schema: z.ZodType<T>, config: T, places: Places, run: string): T {
  const found = [...pathSettings(schema, config)].map(([path, value]) => {
    const place = places[path]
    const candidates = place ? [place.absolute, resolve(run, place.fromRun)] : []
    return [
      path,
      [...candidates, value].find((candidate) => existsSync(candidate)) ?? place?.absolute ?? value,
    ] as const
  })
  return replaceSettings(config, new Map(found)) as T // texts for texts
}

/** A configuration without the paths, for exported files. */
export function withoutPaths(schema: z.ZodType<Settings>, config: Settings): Settings {
  return replaceSettings(config, new Map([...pathSettings(schema, config).keys()].map((path) => [path, ''])))
}
