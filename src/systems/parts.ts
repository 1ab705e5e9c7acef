/** Parts of a job, which are files that are not made twice: made by one process, or by several that share the folder, or only read. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { writeFileAtomic } from '../io/atomic.ts'
import { Claims } from '../train/claim.ts'
import { TenfoldError } from '../util/errors.ts'
import type { JobContext, Kept } from './define.ts'

type Keep = JobContext['keep']

/** A part that is not there, where parts are only read. */
export class MissingPartError extends TenfoldError {
  constructor(names: readonly string[]) {
    super(`not finished: ${names.join(', ')}`)
  }
}

/** The part in a file; undefined if there is none, it is damaged, or it was made from something else, of which `onOther` is told. */
async function readPart<Part>(
  path: string,
  identity: string,
  schema: z.ZodType<Part>,
  onOther: () => void = () => {},
): Promise<Part | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const file = z.object({ identity: z.string(), part: schema }).parse(JSON.parse(text))
    if (file.identity === identity) return file.part
    onOther()
  } catch {
    return undefined
  }
  return undefined
}

async function writePart(path: string, identity: string, part: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFileAtomic(path, Buffer.from(`${JSON.stringify({ identity, part }, null, 2)}\n`))
}

/** The `keep` of a job whose parts are files in a folder that no other process uses. `onOther` is told of the first part of other settings that is replaced. */
export function keepIn(folder: string, onOther: (name: string) => void = () => {}): Keep {
  let isTold = false
  return async (name, depends, schema, make) => {
    const path = join(folder, `${name}.json`)
    const identity = JSON.stringify(depends)
    const kept = await readPart(path, identity, schema, () => {
      if (!isTold) onOther(name)
      isTold = true
    })
    if (kept !== undefined) return { part: kept, wasThere: true }
    const part = await make()
    await writePart(path, identity, part)
    return { part, wasThere: false }
  }
}

/** The `keep` that makes nothing: throws a MissingPartError for what is not there. Tells the names of parts as they are asked for. */
export function readIn(folder: string, tell: (name: string, isThere: boolean) => void): Keep {
  return async (name, depends, schema) => {
    const part = await readPart(join(folder, `${name}.json`), JSON.stringify(depends), schema)
    tell(name, part !== undefined)
    if (part === undefined) throw new MissingPartError([name])
    return { part, wasThere: true }
  }
}

/** One of the `of` processes that share the work, the first is 1. */
export interface Share {
  readonly index: number
  readonly of: number
}

interface Wanted {
  readonly name: string
  readonly isOwn: boolean
  /** Reads it, or makes it unless another process is at it: undefined. Does not throw. */
  readonly obtain: () => Promise<'there' | 'made' | undefined>
  readonly refuse: (reason: unknown) => void
}

const pollMilliseconds = 500

/**
 * The parts of a job in a folder that several processes share. What is asked for is made one after the other: first this process's share (of
 * n processes the i-th takes every n-th part), then what nobody works at. What others work at is waited for.
 */
export class SharedParts {
  readonly #folder: string
  readonly #share: Share
  readonly #signal: AbortSignal | undefined
  readonly #tellWaiting: (names: readonly string[]) => void
  readonly #claims = new Claims()
  /** Set inside of a part that is being made: one that it needs itself must not wait for its turn. */
  readonly #inside = new AsyncLocalStorage<true>()
  #wanted: Wanted[] = []
  #asked = 0
  #work: Promise<void> | undefined
  #told = ''

  constructor(
    folder: string,
    share: Share,
    options: { readonly signal?: AbortSignal; readonly tellWaiting: (names: readonly string[]) => void },
  ) {
    this.#folder = folder
    this.#share = share
    this.#signal = options.signal
    this.#tellWaiting = options.tellWaiting
  }

  readonly keep: Keep = async <Part>(
    name: string,
    depends: unknown,
    schema: z.ZodType<Part>,
    make: () => Promise<Part>,
  ): Promise<Kept<Part>> => {
    const { index, of } = this.#share
    const isOwn = this.#asked++ % of === index - 1
    const path = join(this.#folder, `${name}.json`)
    const identity = JSON.stringify(depends)
    const attempt = async (): Promise<Kept<Part> | undefined> => {
      const there = await readPart(path, identity, schema)
      if (there !== undefined) return { part: there, wasThere: true }
      const release = this.#claims.take(join(this.#folder, `${name}.claim`))
      if (!release) return undefined
      try {
        // Its maker may have ended between the look and the claim.
        const late = await readPart(path, identity, schema)
        if (late !== undefined) return { part: late, wasThere: true }
        const part = await this.#inside.run(true, make)
        await writePart(path, identity, part)
        return { part, wasThere: false }
      } finally {
        release()
      }
    }
    if (this.#inside.getStore()) return this.#poll(attempt)
    return new Promise((resolve, reject) => {
      const obtain = async () => {
        try {
          const found = await attempt()
          if (found) resolve(found)
          return found && (found.wasThere ? 'there' : 'made')
        } catch (error) {
          reject(error)
          return 'made'
        }
      }
      this.#wanted.push({ name, isOwn, obtain, refuse: reject })
      this.#work ??= this.#workOff()
    })
  }

  /** Ends the making of parts after the one that is being made; what is still asked for is refused. */
  async close(reason: unknown): Promise<void> {
    this.#refuseAll(reason)
    await this.#work
  }

  async #poll<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
    for (;;) {
      this.#signal?.throwIfAborted()
      const found = await attempt()
      if (found !== undefined) return found
      await setTimeout(pollMilliseconds)
    }
  }

  async #workOff(): Promise<void> {
    // What is asked for at once is all there before the first is chosen; likewise what follows from a part.
    await setImmediate()
    while (this.#wanted.length > 0) {
      if (this.#signal?.aborted) this.#refuseAll(this.#signal.reason)
      else if (!(await this.#takeNext())) {
        this.#wait()
        await setTimeout(pollMilliseconds)
      }
      await setImmediate()
    }
    this.#work = undefined
  }

  #refuseAll(reason: unknown): void {
    for (const { refuse } of this.#wanted.splice(0)) refuse(reason)
  }

  /** Makes one part, or reads those that are there. Whether anything came of it. */
  async #takeNext(): Promise<boolean> {
    const byShare = [...this.#wanted.filter(({ isOwn }) => isOwn), ...this.#wanted.filter(({ isOwn }) => !isOwn)]
    let isAny = false
    for (const wanted of byShare) {
      const outcome = await wanted.obtain()
      if (outcome === undefined) continue
      this.#wanted = this.#wanted.filter((other) => other !== wanted)
      isAny = true
      if (outcome === 'made') return true
    }
    return isAny
  }

  #wait(): void {
    const names = this.#wanted.map(({ name }) => name)
    const text = names.join()
    if (text !== this.#told) this.#tellWaiting(names)
    this.#told = text
  }
}

/** What `eachOf` and `allOf` need of a job's context. */
export type PartsContext = Pick<JobContext, 'parts'>

/**
 * Makes something of each item, in order; where several processes share the work, of all at once, so that they find what there is to make. A
 * page of what is finished is made of fewer: items whose parts are missing are left out. Throws a MissingPartError if all are.
 */
export async function eachOf<Item, Result>(
  { parts }: PartsContext,
  items: readonly Item[],
  make: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  if (parts === 'shared') return Promise.all(items.map(make))
  const results: Result[] = []
  const missing: MissingPartError[] = []
  for (const [i, item] of items.entries()) {
    try {
      results.push(await make(item, i))
    } catch (error) {
      if (!(error instanceof MissingPartError)) throw error
      missing.push(error)
    }
  }
  if (results.length === 0 && missing[0]) throw missing[0]
  return results
}

/** As `eachOf`, for what is of use only when it is complete: throws a MissingPartError if any part is missing, after asking for all. */
export async function allOf<Item, Result>(
  context: PartsContext,
  items: readonly Item[],
  make: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results = await eachOf(context, items, make)
  if (results.length < items.length) throw new MissingPartError(['some of what belongs together'])
  return results
}

/** `count` seeds, one after the other. */
export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}
