/** Who tenfold is compared with, and how their processes are started. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from './participant.ts'

export const folder = '.bench'
export const peerNames = ['torch', 'torch-compile', 'jax-js', 'tfjs'] as const
export type PeerName = (typeof peerNames)[number]

/** Python of the environment that `npm run bench:setup` makes, or the one that TENFOLD_BENCH_PYTHON names. */
export function pythonPath(): string {
  return process.env.TENFOLD_BENCH_PYTHON ?? join(folder, 'venv', 'bin', 'python')
}

/** What is missing to run a peer; undefined if it is there. */
export function missing(peer: PeerName): string | undefined {
  if (peer === 'torch' || peer === 'torch-compile') {
    return existsSync(pythonPath()) ? undefined : `${pythonPath()} is missing: npm run bench:setup`
  }
  const installed = packageFolder(peer)
  return existsSync(installed) ? undefined : `${installed} is missing: npm run bench:setup`
}

function packageFolder(peer: 'jax-js' | 'tfjs'): string {
  return join(folder, 'node_modules', peer === 'tfjs' ? '@tensorflow/tfjs' : '@jax-js/jax')
}

/** Version of a peer that is not missing. */
export function versionOf(peer: PeerName): string {
  if (peer === 'torch' || peer === 'torch-compile') {
    return execFileSync(pythonPath(), ['-c', 'import torch; print(torch.__version__)'], { encoding: 'utf8' }).trim()
  }
  const { version } = JSON.parse(readFileSync(join(packageFolder(peer), 'package.json'), 'utf8')) as { version: string }
  return version
}

export function peerCommand(peer: PeerName, name: string, measure: string, file: string, threads: number): Command {
  const args = [name, measure, file, String(threads)]
  if (peer === 'torch' || peer === 'torch-compile') {
    const worker = join('bench', 'peers', 'torch', 'worker.py')
    return { program: pythonPath(), args: [worker, ...args, ...(peer === 'torch-compile' ? ['compile'] : [])] }
  }
  return { program: process.execPath, args: [join('bench', 'peers', `${peer}.js`), ...args] }
}

export function tenfoldCommand(name: string, measure: string, file: string, threads: number): Command {
  const worker = new URL('./worker.js', import.meta.url).pathname
  return { program: process.execPath, args: [worker, name, measure, file, String(threads)] }
}
