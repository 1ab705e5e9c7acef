/** A set of pictures by name, as a user trains on it: the built program, on a stand-in. */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { writeCifar } from '../support/stand-ins.ts'
import { eventsOf, small, tenfold } from './process.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-sets-'))
afterAll(() => {
  vi.unstubAllEnvs()
})

test('a set that is not here: one line with the command that fetches it', async () => {
  vi.stubEnv('TENFOLD_DATA', join(folder, 'none'))
  const out = join(folder, 'missing')
  const { code, err } = await tenfold('train', 'mixer/cifar10', '--out', out)
  expect(err).toBe('error: the data set cifar10 is not on this machine (fetch it: npx tenfold data cifar10)\n')
  expect(code).toBe(2)
  expect(readdirSync(folder)).toEqual([])
})

test('mixer/cifar10, and the same pictures in any other recipe of pictures', async () => {
  writeCifar(join(folder, 'cache'))
  vi.stubEnv('TENFOLD_DATA', join(folder, 'cache'))
  for (const [i, recipe] of ['mixer/cifar10', 'mixer/images'].entries()) {
    const run = join(folder, String(i))
    const sets = ['--set', 'data.folder=cifar10', '--set', 'train.batch_size=5', '--epochs', '1']
    const trained = await tenfold('train', recipe, ...small, ...sets, '--out', run, '--json')
    expect(trained.err).toBe('')
    expect(eventsOf(trained.out).at(-1)).toMatchObject({ event: 'done', step: 4 })
    const evaluated = await tenfold('eval', run, '--json')
    expect(evaluated.err).toBe('')
    expect(eventsOf(evaluated.out).at(-1)).toMatchObject({ event: 'done', step: 4 })
  }
})
