import { configure as configureRuntime } from '#runtime'
import { optionsOf } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { RuntimeOptions } from './session.ts'

/**
 * Says what computes, and with how many threads, for all models that run from here on; in a browser also where the runtime's files are, before the
 * first model runs. Throws a UsageError for what the platform does not have, or where it comes too late.
 */
export function configure(options: RuntimeOptions): void {
  optionsOf('configure', options, { device: true, threads: true, files: true }, UsageError)
  configureRuntime(options)
}
