/** What a translator is to an audit, whatever it is made of. */

import { UsageError } from '../../../util/errors.ts'

/** From which language into which, by their codes. */
export interface Direction {
  readonly source: string
  readonly target: string
}

/** A translator. */
export interface Engine {
  /** What it is exactly, for the report and for the cache: an answer of one is none of another. */
  readonly identity: string
  /** How many texts are asked at once. */
  readonly batch: number
  /** A translation of each text. Throws a UsageError or an EngineError of one line. */
  readonly translate: (
    texts: readonly string[],
    direction: Direction,
    signal?: AbortSignal,
  ) => Promise<readonly string[]>
  /** The n best translations of each text, or n drawn ones; left out by engines that know only one. */
  readonly alternatives?: (
    texts: readonly string[],
    direction: Direction,
    n: number,
    signal?: AbortSignal,
  ) => Promise<readonly (readonly string[])[]>
}

/** What stands between the translations of an engine that shows several. */
const separator = ' / '

/** An engine that shows the n best translations of another one in one answer. Throws a UsageError if it knows only one. */
export function severalOf(engine: Engine, n: number): Engine {
  const { alternatives, identity } = engine
  if (n === 1) return engine
  if (!alternatives)
    throw new UsageError(`${identity} gives one translation of a text, no ${n}`, {
      hint: 'engines that give several: onnx, libretranslate, and neural with --set sample=true',
    })
  return {
    ...engine,
    identity: `${identity}, ${n} translations`,
    translate: async (texts, direction, signal) =>
      (await alternatives(texts, direction, n, signal)).map((each) => [...new Set(each)].join(separator)),
  }
}
