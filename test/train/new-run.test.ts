import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { inNewRunFolder } from '../../src/train/new-run.ts'

const root = await mkdtemp(join(tmpdir(), 'tenfold-new-run-'))
afterAll(() => rm(root, { recursive: true }))

const write = async (path: string): Promise<string> => {
  await writeFile(join(path, 'run.json'), '{}')
  return basename(path)
}

test('runs that are started in one second have folders of their own', async () => {
  const like = join(root, 'runs', 'mixer')
  const names = await Promise.all(Array.from({ length: 3 }, () => inNewRunFolder({ like }, write)))
  expect(names.sort()).toEqual(['mixer', 'mixer-2', 'mixer-3'])
})

test('two runs that are started in one folder: one has it', async () => {
  const path = join(root, 'one')
  const outcomes = await Promise.allSettled([inNewRunFolder({ path }, write), inNewRunFolder({ path }, write)])
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
})

test('the folder of a run that does not come about is not left behind, unless it was there', async () => {
  const fail = async (): Promise<void> => {
    throw new Error('no data')
  }
  const path = join(root, 'failed')
  await expect(inNewRunFolder({ path }, fail)).rejects.toThrow('no data')
  expect(existsSync(path)).toBe(false)
  await mkdir(path)
  await expect(inNewRunFolder({ path }, fail)).rejects.toThrow('no data')
  expect(await readdir(path)).toEqual([])
})

test('nothing of somebody else is written over', async () => {
  const refused = { 'report.html': 'page', 'metrics.jsonl': '{}', 'data.json': '{"mine":1}', 'cats/1.png': '' }
  for (const [i, [name, text]] of Object.entries(refused).entries()) {
    const path = join(root, `mine-${i}`)
    await mkdir(join(path, 'cats'), { recursive: true })
    if (!name.startsWith('cats')) await rm(join(path, 'cats'), { recursive: true })
    await writeFile(join(path, name), text)
    await expect(inNewRunFolder({ path }, write)).rejects.toThrow(
      `${path} holds ${name.split('/')[0]}, but no run.json: a run would mix with it`,
    )
    expect(await readFile(join(path, name), 'utf8')).toBe(text)
  }
})

test('the record of a start that failed, and notes, are no obstacle', async () => {
  const path = join(root, 'again')
  await mkdir(path)
  await writeFile(join(path, 'data.json'), '{\n "format": 1,\n "unit": "row"')
  await writeFile(join(path, 'notes.txt'), 'try a smaller rate')
  await inNewRunFolder({ path }, write)
  expect(await readFile(join(path, 'run.json'), 'utf8')).toBe('{}')
  expect(await readFile(join(path, 'notes.txt'), 'utf8')).toBe('try a smaller rate')
})

test('what stands in the way is said', async () => {
  const [file = '', link = '', old = '', job = '', lost = ''] = ['file', 'link', 'old', 'job', 'lost'].map((name) =>
    join(root, name),
  )
  await writeFile(file, '')
  await symlink('nowhere', link)
  await mkdir(join(old), { recursive: true })
  await writeFile(join(old, 'run.json'), '{}')
  await mkdir(job, { recursive: true })
  await writeFile(join(job, 'report.json'), '{}')
  await mkdir(join(lost, 'checkpoints'), { recursive: true })
  const messageOf = (path: string) =>
    inNewRunFolder({ path }, write).catch(({ message, hint }) => `${message} (${hint})`.replaceAll(root, 'ROOT'))
  expect(await Promise.all([file, link, join(file, 'run'), old, job, lost].map(messageOf))).toEqual([
    'ROOT/file: must be a folder, found a file or a broken link (choose another name)',
    'ROOT/link: must be a folder, found a file or a broken link (choose another name)',
    'ROOT/file/run: cannot be written (ENOTDIR) (a part of the path is a file, not a folder)',
    'ROOT/old already holds a run (continue it with: tenfold resume ROOT/old, or choose another --out)',
    'ROOT/job holds the results of a job (choose another --out)',
    'ROOT/lost holds checkpoints, but no run.json (choose another --out)',
  ])
})
