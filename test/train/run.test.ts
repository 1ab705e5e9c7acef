import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type NewRun, RunDirectory } from '../../src/train/run.ts'

const root = await mkdtemp(join(tmpdir(), 'tenfold-run-'))
afterAll(() => rm(root, { recursive: true }))

const description: NewRun = {
  format: 1,
  system: 'test',
  recipe: 'test',
  seed: 0,
  config: {},
  facts: {},
  limits: { steps: null },
  threads: null,
  versions: {},
  started: '',
}

test('a run is read as it was written; a changed one is written when it is saved', async () => {
  const path = join(root, 'run')
  const run = await RunDirectory.create(path, description)
  const changed = run.changed({ limits: { steps: 5 } })
  expect((await RunDirectory.open(path)).description).toEqual(run.description)
  await changed.save()
  expect((await RunDirectory.open(path)).description).toEqual({ ...run.description, limits: { steps: 5 } })
})

test('what is no line of metrics is left out', async () => {
  const run = await RunDirectory.create(join(root, 'metrics'), description)
  expect(await run.readMetrics()).toEqual([])
  await run.append([{ type: 'step', step: 1, epoch: 0, loss: 2 }])
  await appendFile(
    run.metrics,
    'null\n\n[1]\n"text"\n{"type":"step","step":"one","epoch":0}\n{"type":"other","step":1,"epoch":0}\n{"type":"st',
  )
  expect(await run.readMetrics()).toEqual([{ type: 'step', step: 1, epoch: 0, loss: 2 }])
  await run.truncateLog(1)
  expect(await readFile(run.metrics, 'utf8')).toBe('{"type":"step","step":1,"epoch":0,"loss":2}\n')
})

describe('what is no run', () => {
  const hint = '(tenfold train writes run directories, below runs/)'
  const other = '(use the version that the run was made with)'
  const cases: [string, (path: string) => Promise<unknown>, string][] = [
    ['nothing', async () => {}, `PATH: no such directory ${hint}`],
    ['a file', (path) => writeFile(path, ''), `PATH is a file, not a run directory ${hint}`],
    ['an empty folder', (path) => mkdir(path), `PATH is not a run directory: it has no run.json ${hint}`],
    [
      'the folder of a sweep',
      async (path) => {
        for (const name of ['lr=1', 'lr=2', 'lr=3', 'lr=4']) {
          await mkdir(join(path, 'runs', name), { recursive: true })
          await writeFile(join(path, 'runs', name, 'run.json'), '')
        }
      },
      'PATH is not a run directory: it has no run.json (there are runs below it: PATH/runs/lr=1; PATH/runs/lr=2; PATH/runs/lr=3 and 1 more)',
    ],
    ['a broken link', (path) => symlink('nowhere', path), `PATH: a link to nowhere, which is not there ${hint}`],
    [
      'a link to itself',
      (path) => symlink(path, path),
      'PATH/run.json: cannot be read (ELOOP) (its links lead in a circle)',
    ],
    [
      'a folder of that name',
      (path) => mkdir(join(path, 'run.json'), { recursive: true }),
      'PATH/run.json: cannot be read (EISDIR) (is a folder)',
    ],
    ['half a run.json', (path) => withText(path, '{"format": 1'), 'PATH/run.json is not valid JSON'],
    ['another JSON', (path) => withText(path, '[]'), 'PATH/run.json must hold a JSON object'],
    ['an empty object', (path) => withText(path, '{}'), 'PATH/run.json: setting "format" is missing'],
    ['nothing but a format', (path) => withText(path, '{"format": 1}'), 'PATH/run.json: setting "system" is missing'],
    [
      'a run of another version',
      (path) => withText(path, '{"format": 2}'),
      `PATH/run.json: is of another version of tenfold (format 2, this one reads 1) ${other}`,
    ],
  ]
  const withText = async (path: string, text: string): Promise<void> => {
    await mkdir(path)
    await writeFile(join(path, 'run.json'), text)
  }

  test.each(cases)('%s', async (name, make, message) => {
    const path = join(root, name.replaceAll(' ', '-'))
    await make(path)
    const outcome = await RunDirectory.open(path).catch(({ name, message, hint }) => ({
      name,
      text: `${message}${hint ? ` (${hint})` : ''}`,
    }))
    expect(outcome).toEqual({ name: 'UsageError', text: message.replaceAll('PATH', path) })
  })
})
