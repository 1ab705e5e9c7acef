/** `tenfold studio`: serves the runs of a folder until it is interrupted. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStudio } from '../studio/server/studio.ts'
import { UsageError } from '../util/errors.ts'
import { interruptExitCode, interruptSignal } from './interrupt.ts'
import { note } from './output.ts'
import type { Reporter } from './ui.ts'

/** The page as `npm run build` makes it. */
const page = fileURLToPath(new URL('../studio/page', import.meta.url))

/** The program that opens a file as the user is used to. */
function opener(file: string): [string, string[]] {
  if (process.platform === 'win32') return ['cmd', ['/c', 'start', '""', file]]
  return [process.platform === 'darwin' ? 'open' : 'xdg-open', [file]]
}

/**
 * Opens the studio in the user's browser, by a file that only the user can read: the arguments of a program, with the token in them,
 * could be read by anyone on the machine. The function it returns removes the file.
 */
async function openBrowser(url: string): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'tenfold-open-'))
  const file = join(folder, 'studio.html')
  await writeFile(
    file,
    `<!doctype html><meta http-equiv="refresh" content="0;url=${url}"><title>tenfold studio</title>`,
    {
      mode: 0o600,
    },
  )
  const [command, args] = opener(file)
  // Where there is no browser, the address has been printed.
  spawn(command, args, { detached: true, stdio: 'ignore' })
    .on('error', () => {})
    .unref()
  return () => rm(folder, { recursive: true, force: true })
}

/** Serves until a signal, or until the output is no longer read. Trainings that were started go on. */
export async function serveStudio(
  { runs, port, open }: { readonly runs: string; readonly port: number; readonly open: boolean },
  reporter: Reporter,
): Promise<void> {
  if (!existsSync(join(page, 'index.html')))
    throw new UsageError('the page of the studio is not built', { hint: 'npm ci, then npm run build' })
  const { signal, dispose } = interruptSignal(reporter, 'ending the studio')
  const onBug = (error: unknown): void =>
    note(`tenfold has a bug:\n${error instanceof Error ? error.stack : String(error)}`)
  const isNew = !existsSync(runs)
  const studio = await openStudio({ runs, page, port, onBug })
  reporter.say(`studio     ${studio.url}`)
  reporter.say(`runs       ${runs}${isNew ? ' (it was not there: made)' : ''}`)
  reporter.say('Ctrl-C ends it; trainings that it has started go on')
  reporter.event('studio', { url: studio.url, port: studio.port, runs })
  const forget = open && process.stdout.isTTY ? await openBrowser(studio.url) : undefined
  try {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    const running = studio.running()
    await studio.close()
    if (running.length > 0) reporter.say(`still training: ${running.join(', ')}`)
    reporter.event('done', { metrics: {}, running })
  } finally {
    await forget?.()
    dispose()
  }
  process.exitCode = interruptExitCode(signal.reason)
}
