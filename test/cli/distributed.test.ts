/** `--distributed mpi` with real processes, where Open MPI is installed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { NDArray } from '../../src/tensor/dtype.ts'
import { newestCheckpoint } from '../../src/train/checkpoint.ts'
import { program, tenfold } from './process.ts'

function hasOpenMpi(): boolean {
  try {
    return execFileSync('mpirun', ['--version'], { encoding: 'utf8' }).includes('Open MPI')
  } catch {
    return false
  }
}

const place = mkdtempSync(join(tmpdir(), 'tenfold-distributed-'))
afterAll(() => rmSync(place, { recursive: true }))

const recipe = 'frozen-transformer/bit-xor'
const settings = [
  ...['data.n=3', 'data.test_examples=8', 'model.embedding_size=16', 'model.n_layer=1', 'model.n_head=2'],
  ...['model.dropout=0', 'model.body_dropout=0', 'optimizer.name=sgd', 'train.batch_size=7'],
].flatMap((setting) => ['--set', setting])

/** Starts two processes. */
function start(...args: readonly string[]): {
  child: ChildProcess
  ended: Promise<{ code: number | null; err: string }>
} {
  // On a busy machine a second may be too short for the last words of a process.
  const root = {
    OMPI_MCA_odls_base_sigkill_timeout: '2',
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  }
  const all = ['--oversubscribe', '-n', '2', process.execPath, program, ...args, '--distributed', 'mpi']
  const child = spawn('mpirun', all, { env: { ...process.env, ...root }, stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.on('data', (data) => {
    err += String(data)
  })
  const ended = new Promise<{ code: number | null; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, err }))
  })
  return { child, ended }
}

async function tensorsOf(run: string): Promise<ReadonlyMap<string, NDArray>> {
  return (await newestCheckpoint(join(place, run, 'checkpoints')))?.tensors ?? new Map()
}

test('without mpirun it is one line', async () => {
  const { code, err } = await tenfold(
    'train',
    recipe,
    ...settings,
    '--distributed',
    'mpi',
    '--out',
    join(place, 'alone'),
  )
  expect(code).toBe(2)
  expect(err).toBe(
    "error: MPI: this process was not started by Open MPI's mpirun (mpirun -n 2 npx tenfold train ... --distributed mpi)\n",
  )
  expect(existsSync(join(place, 'alone'))).toBe(false)
})

describe.runIf(hasOpenMpi())('two processes', { timeout: 180_000 }, () => {
  test('train and resume as one does', async () => {
    const two = join(place, 'two')
    const trained = ['train', recipe, ...settings]
    await tenfold(...trained, '--steps', '6', '--threads', '1', '--out', join(place, 'one'))
    expect(await start(...trained, '--steps', '3', '--out', two).ended).toEqual({ code: 0, err: '' })
    expect(await start('resume', two, '--steps', '6').ended).toEqual({ code: 0, err: '' })
    const [alone, together] = await Promise.all(['one', 'two'].map(tensorsOf))
    expect(together?.size).toBeGreaterThan(10)
    for (const [name, { data }] of alone ?? []) {
      const own = together?.get(name)?.data ?? []
      const off = Array.from(data as ArrayLike<unknown>, (value, i) => Math.abs(Number(value) - Number(own[i])))
      expect(Math.max(...off), name).toBeLessThan(1e-5)
    }
    expect(readdirSync(two)).toContain('report.html')
    expect(readFileSync(join(two, 'metrics.jsonl'), 'utf8').split('"type":"step"').length - 1).toBe(6)
  })

  test('one that is killed ends the other with one clear line, and the last checkpoint stays', async () => {
    const folder = join(place, 'killed')
    const long = ['--set', 'data.train_examples=2000000', '--set', 'train.checkpoint_every=5']
    const { child, ended } = start('train', recipe, ...settings, ...long, '--out', folder)
    while (!existsSync(join(folder, 'checkpoints')) || readdirSync(join(folder, 'checkpoints')).length < 2)
      await setTimeout(50)
    process.kill(processOf(child, 1), 'SIGKILL')
    const { code, err } = await ended
    expect(code).not.toBe(0)
    expect(err).toContain(
      'error: stopped: another of the 2 processes has ended or does not answer (checkpoints are intact: resume continues from the last one)\n',
    )
    expect((await tensorsOf('killed')).size).toBeGreaterThan(10)
  })
})

/** The process of a rank: mpirun says it in its environment. */
function processOf({ pid }: ChildProcess, rank: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/environ`, 'utf8').split('\0').includes(`OMPI_COMM_WORLD_RANK=${rank}`),
  )
  if (found === undefined) throw new Error(`no process of rank ${rank} among ${children.join(', ')}`)
  return found
}
