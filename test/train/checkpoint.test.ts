import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { Variable } from '../../src/tensor/variable.ts'
import {
  chosenCheckpoint,
  listCheckpoints,
  newestCheckpoint,
  readCheckpoint,
  saveCheckpoint,
} from '../../src/train/checkpoint.ts'
import type { TrainingState } from '../../src/train/store.ts'

const links = vi.hoisted(() => ({ allowed: true }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  const link: typeof original.link = (...paths) =>
    links.allowed
      ? original.link(...paths)
      : Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' }))
  return { ...original, link }
})

const root = await mkdtemp(join(tmpdir(), 'tenfold-checkpoint-'))
afterAll(() => rm(root, { recursive: true }))

const stateAt = (step: number): TrainingState => ({
  step,
  loader: { epoch: 0, position: step },
  best: null,
  bestStep: null,
  evaluationsSinceBest: 0,
  seconds: 1,
})

const variablesOf = (value: number) =>
  new Map([
    ['model.weight', new Variable([2, 2], { data: new Float32Array(4).fill(value) })],
    ['model.count', new Variable([], { dtype: 'int64' })],
  ])

/** A folder with a checkpoint of each step; the one of step `best` is the best. */
async function folderWith(steps: readonly number[], best?: number, keep = 2): Promise<string> {
  const folder = await mkdtemp(join(root, 'folder-'))
  for (const step of steps) {
    await saveCheckpoint(folder, variablesOf(step), stateAt(step), { keep, best: step === best })
  }
  return folder
}

const weightOf = (checkpoint: Awaited<ReturnType<typeof newestCheckpoint>>) =>
  checkpoint?.tensors.get('model.weight')?.data[0]

test('the newest are kept, and the best one, however old', async () => {
  const folder = await folderWith([1, 2, 3, 4], 1)
  expect((await readdir(folder)).sort()).toEqual([
    'best.safetensors',
    'step-00000003.safetensors',
    'step-00000004.safetensors',
  ])
  expect(weightOf(await chosenCheckpoint('RUN', folder, 'best'))).toBe(1)
  expect(weightOf(await chosenCheckpoint('RUN', folder, 'last'))).toBe(4)
  expect(weightOf(await chosenCheckpoint('RUN', folder, 3))).toBe(3)
  // The best one is that of its step, too.
  expect(weightOf(await chosenCheckpoint('RUN', folder, 1))).toBe(1)
})

test('on a file system without hard links the best one is a copy', async () => {
  links.allowed = false
  const folder = await folderWith([1, 2, 3], 2, 1)
  links.allowed = true
  expect((await readdir(folder)).sort()).toEqual(['best.safetensors', 'step-00000003.safetensors'])
  expect((await readCheckpoint(join(folder, 'best.safetensors'))).state.step).toBe(2)
})

test('a checkpoint that is not there: what there is, is said', async () => {
  const folder = await folderWith([1, 2, 3, 4], 1)
  await expect(chosenCheckpoint('RUN', folder, 7)).rejects.toMatchObject({
    name: 'UsageError',
    message: 'RUN has no checkpoint of step 7',
    hint: 'it has those of step 3, 4, 1 (best)',
  })
  const empty = join(root, 'missing')
  await expect(chosenCheckpoint('RUN', empty, 'last')).rejects.toMatchObject({
    message: 'RUN has no checkpoint yet',
    hint: 'train it first: tenfold resume RUN',
  })
  await expect(chosenCheckpoint('RUN', empty, 'best')).rejects.toMatchObject({
    message: 'RUN has no best checkpoint yet',
    hint: 'an evaluation decides which is the best',
  })
  await expect(chosenCheckpoint('RUN', empty, 3)).rejects.toMatchObject({ hint: 'it has none at all' })
  expect(await newestCheckpoint(empty)).toBeUndefined()
})

test('every single byte that changes is found', async () => {
  const folder = await folderWith([1])
  const [path = ''] = await listCheckpoints(folder)
  const bytes = await readFile(path)
  const found = await readCheckpoint(path)
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes)
    changed[i] = (changed[i] ?? 0) ^ 1
    await writeFile(path, changed)
    const outcome = await readCheckpoint(path).catch((error: Error) => error)
    // Some bytes of the header mean nothing, such as the spaces at its end.
    if (outcome instanceof Error) expect(outcome.name).toBe('FormatError')
    else expect({ ...outcome, tensors: [...outcome.tensors] }).toEqual({ ...found, tensors: [...found.tensors] })
  }
})

test('a damaged one is passed over and named; at last the best one is used', async () => {
  const folder = await folderWith([1, 2, 3], 1)
  const [second = '', third = ''] = await listCheckpoints(folder)
  const damaged: string[][] = []
  const newest = () => newestCheckpoint(folder, (path, reason) => damaged.push([path, reason]))
  const file = await open(third, 'r+')
  await file.write(Buffer.from([1, 2, 3]), 0, 3, (await file.stat()).size - 8)
  await file.close()
  expect((await newest())?.state.step).toBe(2)
  expect(damaged).toEqual([[third, `${third}: its bytes are not those that were written`]])
  await truncate(second, 0)
  expect((await newest())?.state.step).toBe(1)
  expect(damaged[2]).toEqual([
    second,
    `${second}: safetensors: the file must begin with the 8 bytes of its header's length, found 0`,
  ])
})

test('when all are damaged, nothing is taken for a run that has not begun', async () => {
  const folder = await folderWith([1, 2])
  for (const path of await listCheckpoints(folder)) await truncate(path, 100)
  const [, newest] = await listCheckpoints(folder)
  await expect(newestCheckpoint(folder)).rejects.toMatchObject({
    name: 'FormatError',
    message: expect.stringMatching(
      `^${folder}: every checkpoint is damaged \\(${newest}: safetensors: the header must`,
    ),
    hint: 'copy one back from elsewhere; to train from the start, begin a new run',
  })
})

test('numbers of more digits than their names have room for are in order', async () => {
  const folder = await folderWith([99_999_999, 100_000_000])
  expect((await newestCheckpoint(folder))?.state.step).toBe(100_000_000)
})
