/** Trainings and jobs in processes of their own, which outlive the studio: each is the command line, with its output in a file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findEntry } from '../../systems/session.ts'
import { folderHolder } from '../../train/lock.ts'
import { checkNewRun } from '../../train/new-run.ts'
import { expandHomes } from '../../train/places.ts'
import { changedSettings, configFrom, parseAssignment } from '../../train/settings.ts'
import { UsageError } from '../../util/errors.ts'
import { shellQuoted } from '../../util/shell.ts'
import { isPlainName, type RunsFolder } from './places.ts'
import { problemOf, type Records, type Start } from './records.ts'
import { readJobHead } from './summary.ts'

/** The command line. */
export const program = fileURLToPath(new URL('../../../bin/tenfold.js', import.meta.url))

/** Milliseconds in which a process that has just ended is known to have. */
const exitWait = 500

/** Told when a process has been started in a folder, and when it has ended. */
export interface LaunchListener {
  readonly onStart: (id: string, start: Pick<Start, 'name'>) => void
  /** `problem`: why it failed, in one line; empty: it did not. */
  readonly onEnd: (id: string, start: Pick<Start, 'name'>, problem: string) => Promise<void>
}

/** Checks what is to be started. Rejects with a UsageError in the words of the command line. */
async function checkStart({ name, settings, epochs }: Start): Promise<'train' | 'run'> {
  const { kind, entry } = await findEntry(name)
  const assignments = settings.map(parseAssignment)
  if (kind === 'recipe' && epochs !== undefined) assignments.push({ path: 'train.epochs', value: epochs })
  expandHomes(entry.config, configFrom(entry.config, assignments))
  return kind === 'recipe' ? 'train' : 'run'
}

/** The arguments of a training or job in a folder. */
function argumentsOf(
  command: 'train' | 'run',
  { name, settings, seed, steps, epochs, threads }: Start,
  out: string | undefined,
): string[] {
  const option = (flag: string, value: number | undefined): string[] =>
    value === undefined ? [] : [flag, String(value)]
  return [
    ...[command, name, ...settings.flatMap((setting) => ['--set', setting])],
    ...[...option('--seed', seed), ...option('--threads', threads)],
    ...(command === 'train' ? [...option('--epochs', epochs), ...option('--steps', steps)] : []),
    ...(out === undefined ? [] : ['--out', out]),
  ]
}

export class Launcher {
  readonly #folder: RunsFolder
  readonly #records: Records
  readonly #listener: LaunchListener
  /** The processes that have been started and are not known to have ended, by their folders. */
  readonly #started = new Map<string, ChildProcess>()

  constructor(folder: RunsFolder, records: Records, listener: LaunchListener) {
    this.#folder = folder
    this.#records = records
    this.#listener = listener
  }

  /** The folders with a process of this studio's. */
  get running(): readonly string[] {
    return [...this.#started.keys()]
  }

  #path(id: string): string {
    return join(this.#folder.path, ...id.split('/'))
  }

  /** Starts a training or job in a new folder and returns its id. Throws a UsageError, as the command line would. */
  async start(start: Start): Promise<string> {
    const command = await checkStart(start)
    const id = await this.#newFolder(start, command)
    await this.#records.save(id, start)
    this.#launch(id, argumentsOf(command, start, join(this.#folder.shown, id)), start)
    return id
  }

  /** The command that starts the same. Throws a UsageError, as `start` would. */
  async commandOf(start: Start): Promise<string> {
    const command = await checkStart(start)
    if (start.folder) await this.#checkNewFolder(start.folder, command)
    const out = start.folder ? join(this.#folder.shown, start.folder) : undefined
    return ['npx', 'tenfold', ...argumentsOf(command, start, out)].map(shellQuoted).join(' ')
  }

  /** The folder of something new: as it was named, or by recipe and time. */
  async #newFolder({ name, folder = '' }: Start, command: 'train' | 'run'): Promise<string> {
    if (folder === '') {
      const time = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')
      const like = `${name.replace('/', '-')}-${time}`
      for (let i = 1; ; i++) {
        const id = i === 1 ? like : `${like}-${i}`
        if (!existsSync(this.#path(id)) && !this.#started.has(id)) return id
      }
    }
    await this.#checkNewFolder(folder, command)
    return folder
  }

  /** Throws a UsageError unless something new can be started in a folder of that name. */
  async #checkNewFolder(folder: string, command: 'train' | 'run'): Promise<void> {
    if (!isPlainName(folder))
      throw new UsageError(`the folder of a run must be one plain name, found ${JSON.stringify(folder)}`, {
        hint: 'letters, digits, - _ and . only, such as quick-1',
      })
    await this.#checkFree(folder)
    if (command === 'train') await checkNewRun(this.#path(folder))
    else if (existsSync(this.#path(folder)))
      throw new UsageError(`${join(this.#folder.shown, folder)} is there already`, { hint: 'choose another name' })
  }

  /** Throws a UsageError if something runs in a folder. */
  async #checkFree(id: string): Promise<void> {
    const started = this.#started.get(id)
    // One that was killed may have lost its lock before it is known to have ended.
    if (started) await Promise.race([once(started, 'exit'), setTimeout(exitWait, undefined, { ref: false })])
    if (this.#started.has(id)) throw new UsageError(`${join(this.#folder.shown, id)} is running already`)
    if (!existsSync(this.#path(id))) return
    const holder = folderHolder(this.#path(id))
    if (holder) throw new UsageError(`${join(this.#folder.shown, id)} is in use by process ${holder.pid}`)
  }

  /** Continues a run, perhaps to a new end, or a job. Throws a UsageError if something runs there. */
  async resume(id: string, end: { readonly epochs?: number; readonly steps?: number }): Promise<void> {
    await this.#checkFree(id)
    const out = join(this.#folder.shown, id)
    if (existsSync(join(this.#path(id), 'run.json'))) {
      const option = (flag: string, value: number | undefined): string[] => (value ? [flag, String(value)] : [])
      const args = ['resume', out, ...option('--epochs', end.epochs), ...option('--steps', end.steps)]
      return this.#launch(id, args, { name: '' })
    }
    const start = (await this.#records.read(id)) ?? (await this.#startOfJob(id))
    if (!start) throw new UsageError(`nothing tells how ${out} was started`, { hint: 'start it again from its form' })
    this.#launch(id, argumentsOf(await checkStart(start), start, out), start)
  }

  async #startOfJob(id: string): Promise<Start | undefined> {
    const head = await readJobHead(this.#path(id))
    if (!head) return undefined
    const settings = changedSettings((await findEntry(head.job)).entry.config, head.config)
    return { name: head.job, settings, ...(head.seed !== null && { seed: head.seed }) }
  }

  #launch(id: string, args: readonly string[], start: Pick<Start, 'name'>): void {
    const log = this.#records.openLog(id, ['tenfold', ...args].map(shellQuoted).join(' '))
    // Of its own group: Ctrl-C in the studio's terminal is not meant for it.
    const child = spawn(process.execPath, [program, ...args], {
      detached: true,
      stdio: ['ignore', log.file, log.file],
      windowsHide: true,
    })
    log.close()
    child.unref()
    this.#started.set(id, child)
    const ended = async (message: string): Promise<void> => {
      if (!this.#started.delete(id)) return
      await this.#listener.onEnd(id, start, message || problemOf(await this.#records.readLog(id)))
    }
    child.once('error', ({ message }) => void ended(message))
    child.once('exit', () => void ended(''))
    this.#listener.onStart(id, start)
  }

  /**
   * Asks the process that uses a folder to end: it saves first. `atOnce`: ends it without saving. Throws a UsageError if none does,
   * or one on another machine.
   */
  stop(id: string, atOnce: boolean): void {
    const path = this.#path(id)
    const holder = existsSync(path) ? folderHolder(path) : undefined
    const shown = join(this.#folder.shown, id)
    // Just started: it has not locked its folder yet.
    const pid = holder?.pid ?? this.#started.get(id)?.pid
    if (pid === undefined) throw new UsageError(`${shown} is not running`)
    if (holder?.isHere === false)
      throw new UsageError(`${shown} is in use by a process elsewhere`, { hint: 'stop it there' })
    process.kill(pid, atOnce ? 'SIGKILL' : 'SIGTERM')
  }
}
