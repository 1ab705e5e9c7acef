/** Settings that were given, beside weights to start from that decide them otherwise. */
import { type Settings, settingPaths, valueAt } from '../train/settings.ts'
import { shown } from '../util/check.ts'
import { UsageError } from '../util/errors.ts'
import type { FittedWeights, Recipe } from './define.ts'

/** With these values a setting leaves it to others what it is. */
const undecided: readonly unknown[] = [0, '', 'auto']

/**
 * Throws a UsageError for a setting that is not the recipe's default and that the weights have otherwise: it would be dropped silently.
 * A default that was given cannot be told from one that was not.
 */
export function requireAgreement(
  { config: schema }: Recipe,
  chosen: Settings,
  { config, summary }: Pick<FittedWeights<Settings>, 'config' | 'summary'>,
): void {
  const usual = schema.parse({})
  const at = (settings: Settings, path: string): unknown => valueAt(settings, path.split('.'))
  const isSame = (path: string, other: Settings): boolean =>
    JSON.stringify(at(chosen, path)) === JSON.stringify(at(other, path))
  const path = settingPaths(chosen).find(
    (path) => !isSame(path, usual) && !isSame(path, config) && !undecided.includes(at(chosen, path)),
  )
  if (path === undefined) return
  throw new UsageError(
    `${path}=${shown(at(chosen, path))} contradicts the weights to start from, which have ${shown(at(config, path))} (${summary})`,
    { hint: `leave ${path} out, or start from other weights` },
  )
}
