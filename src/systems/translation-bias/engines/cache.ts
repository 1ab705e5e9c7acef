/** Answers of translators in a file, a line each: nothing is asked twice, and nothing is lost when a job is killed. */
import { appendFile, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { cannotRead, systemReason } from '../../../io/errors.ts'
import type { Direction, Engine } from './engine.ts'

const entry = z.object({
  engine: z.string(),
  source: z.string(),
  target: z.string(),
  text: z.string(),
  translation: z.string(),
  date: z.string(),
})

/** An answer and when it was given. */
export interface CachedAnswer {
  readonly translation: string
  readonly date: string
}

const keyOf = (engine: string, { source, target }: Direction, text: string): string =>
  JSON.stringify([engine, source, target, text])

/** What translators have answered. */
export class TranslationCache {
  readonly #path: string
  readonly #answers = new Map<string, CachedAnswer>()

  private constructor(path: string) {
    this.#path = path
  }

  /** Reads the file, if there is one. A line that is cut off, as when the machine was switched off, counts as not asked. */
  static async open(path: string): Promise<TranslationCache> {
    const cache = new TranslationCache(path)
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (systemReason(error) === 'ENOENT') return ''
      // What is there and cannot be read would be asked, and paid for, again.
      throw cannotRead(path, error)
    })
    for (const line of text.split('\n')) {
      const found = parsed(line)
      if (found) cache.#answers.set(keyOf(found.engine, found, found.text), found)
    }
    if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n')
    return cache
  }

  get(engine: Engine, direction: Direction, text: string): CachedAnswer | undefined {
    return this.#answers.get(keyOf(engine.identity, direction, text))
  }

  async #add(engine: Engine, direction: Direction, texts: readonly string[], found: readonly string[]): Promise<void> {
    const date = new Date().toISOString()
    const entries = texts.map((text, i) => {
      return { engine: engine.identity, ...direction, text, translation: found[i] ?? '', date }
    })
    await appendFile(this.#path, entries.map((each) => `${JSON.stringify(each)}\n`).join(''))
    for (const each of entries) this.#answers.set(keyOf(each.engine, each, each.text), each)
  }

  /** Translates what was not translated yet, a batch at a time, each kept as soon as it is there. */
  async translate(
    engine: Engine,
    direction: Direction,
    texts: readonly string[],
    { signal, progress }: { signal?: AbortSignal; progress?: (done: number, of: number) => void } = {},
  ): Promise<CachedAnswer[]> {
    const missing = [...new Set(texts)].filter((text) => !this.get(engine, direction, text))
    for (let start = 0; start < missing.length; start += engine.batch) {
      signal?.throwIfAborted()
      const part = missing.slice(start, start + engine.batch)
      await this.#add(engine, direction, part, await engine.translate(part, direction, signal))
      progress?.(start + part.length, missing.length)
    }
    return texts.map((text) => this.get(engine, direction, text) ?? { translation: '', date: '' })
  }
}

function parsed(line: string): z.infer<typeof entry> | undefined {
  try {
    return entry.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
