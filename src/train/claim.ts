/**
 * Claims: of several processes that share a folder, on one machine or several, the one that works at something. A claim only saves work:
 * where two processes came to hold one (a file system that is late, a machine that was silent for long), both do the same and write the same.
 */
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { atExit } from '../io/at-exit.ts'
import { cannotWrite } from '../io/errors.ts'
import { systemCode } from '../util/system-errors.ts'
import { isHere, mayLive, readHolder, thisProcess } from './holder.ts'

/** Holders touch their file this often, and one of another machine that did not for the longer time is taken to be dead. */
const touchMilliseconds = 20_000
const silentMilliseconds = 10 * 60_000

export class Claims {
  readonly #self = thisProcess()
  /** When a claim of another process was last seen to be touched, by this process's own clock: machines may disagree about the time. */
  readonly #seen = new Map<string, { readonly touched: number; readonly at: number }>()

  /** Claims `path`, the name of a file that only stands for the claim. Returns what gives it back; undefined if another process holds it. */
  take(path: string): (() => void) | undefined {
    if (this.#isLost(path)) rmSync(path, { force: true })
    try {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, `${JSON.stringify(this.#self)}\n`, { flag: 'wx' })
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return undefined
      throw cannotWrite(path, error)
    }
    const remove = (): void => {
      try {
        rmSync(path, { force: true })
      } catch {
        // It stays, and belongs to a dead process.
      }
    }
    const forget = atExit(remove)
    const timer = setInterval(() => touch(path), touchMilliseconds)
    timer.unref()
    return () => {
      clearInterval(timer)
      forget()
      remove()
    }
  }

  /** Whether a claim belongs to a process that has ended, or is silent for so long that it must have. */
  #isLost(path: string): boolean {
    const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs
    if (touched === undefined) return false
    const holder = readHolder(path)
    if (holder !== undefined && !mayLive(holder, this.#self)) return true
    if (holder !== undefined && isHere(holder, this.#self)) return false
    const before = this.#seen.get(path)
    if (before?.touched === touched) return performance.now() - before.at > silentMilliseconds
    this.#seen.set(path, { touched, at: performance.now() })
    return false
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {
    // The folder was removed, or cannot be written at the moment.
  }
}
