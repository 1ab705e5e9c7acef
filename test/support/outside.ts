/** What a program does outside of its own folder: files, and the network. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whether system calls can be watched here: on Linux with strace, which CI installs. */
export const canWatch = spawnSync('strace', ['-V']).status === 0

const watched =
  'network,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate'

export interface Outside {
  readonly code: number
  readonly out: string
  readonly err: string
  /** Files and folders in the home, temporary and XDG folders, which were empty. */
  readonly left: readonly string[]
  /** System calls that write elsewhere than below `folder`, or that open a socket. Empty where they can't be watched. */
  readonly calls: readonly string[]
}

/** Runs Node in an environment of its own, one that does not look like CI's: there the runtime keeps silent by itself. */
export function runApart(args: readonly string[], folder: string): Outside {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'tenfold-apart-')))
  const own = join(place, 'own')
  const variables = ['HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME']
  const env = Object.fromEntries(variables.map((name) => [name, join(own, name)]))
  for (const path of Object.values(env)) mkdirSync(path, { recursive: true })
  const trace = join(place, 'trace')
  const [program, ...before] = canWatch
    ? ['strace', '-f', '-s', '4096', '-o', trace, '-e', `trace=${watched}`, process.execPath]
    : [process.execPath]
  try {
    const { status, stdout, stderr } = spawnSync(program ?? '', [...before, ...args], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 50_000,
      env: { ...env, PATH: process.env.PATH },
    })
    const left = readdirSync(own, { recursive: true, encoding: 'utf8' }).filter((name) => !variables.includes(name))
    const calls = canWatch
      ? readFileSync(trace, 'utf8')
          .split('\n')
          .filter((line) => isOutside(line, folder))
      : []
    return { code: status ?? 139, out: stdout, err: stderr, left, calls }
  } finally {
    rmSync(place, { recursive: true })
  }
}

function isOutside(line: string, folder: string): boolean {
  const call = /^\d+ +(\w+)\((.*)/.exec(line)
  if (!call) return false
  const [, name = '', rest = ''] = call
  if (/^(socket|connect|bind|listen|sendto|sendmsg|sendmmsg)$/.test(name)) return true
  if (/^open(at)?$/.test(name) && !/O_WRONLY|O_RDWR|O_CREAT/.test(rest)) return false
  const paths = [...rest.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '')
  return (
    paths.length > 0 &&
    paths.some(
      (path) => path.startsWith('/') && !path.startsWith(folder) && path !== '/dev/null' && path !== '/dev/tty',
    )
  )
}
