import { configure as configureRuntime } from '#runtime'
import { requireKnown } from '../util/check.ts'
import type { RuntimeOptions } from './session.ts'

/**
 * Says what computes, and with how many threads, for all models that run from here on; in a browser also where the runtime's files are, before the
 * first model runs. Throws a UsageError for what the platform does not have, or where it comes too late.
 */
export function configure(options: RuntimeOptions): void {
  requireKnown('configure', Object.keys(options), ['device', 'threads', 'files'] satisfies (keyof RuntimeOptions)[])
  configureRuntime(options)
}
