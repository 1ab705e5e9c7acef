import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, defineSystem } from '../../src/systems/define.ts'
import { runJob } from '../../src/systems/jobs.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-jobs-'))
})
afterAll(() => rm(folder, { recursive: true }))

const [first, second] = ['first', 'second'].map((name) =>
  defineJob({
    name,
    summary: name,
    config: z.strictObject({}),
    run: async (_config, { keep }) => {
      const { wasThere } = await keep('part', {}, z.number(), async () => 1)
      return { title: name, summary: [{ label: 'kept', value: String(wasThere) }], sections: [] }
    },
  }),
)
const system = defineSystem({ name: 'trial', title: 'Trial', paper: 'none' })

const run = (job: typeof first, path: string) => {
  if (!job) throw new Error('no job')
  return runJob(system, job, {}, { folder: path, seed: 0, progress: () => {} })
}

test('a job continues in its folder, and writes over nothing else', async () => {
  const path = join(folder, 'results')
  await run(first, path)
  await run(first, path)
  expect(JSON.parse(await readFile(join(path, 'report.json'), 'utf8')).report.summary).toEqual([
    { label: 'kept', value: 'true' },
  ])
  const before = await readFile(join(path, 'report.json'), 'utf8')
  await expect(run(second, path)).rejects.toThrow(`${path} holds the results of trial/first, not of trial/second`)
  expect(await readFile(join(path, 'report.json'), 'utf8')).toBe(before)
  await writeFile(join(folder, 'run.json'), '{}')
  await expect(run(first, folder)).rejects.toThrow(`${folder} holds a training run`)
})

test('results of other settings are not replaced without a word', async () => {
  const many = defineJob({
    name: 'many',
    summary: 'many',
    config: z.strictObject({ size: z.number() }),
    run: async ({ size }, { keep }) => {
      for (const name of ['a', 'b']) await keep(name, { size }, z.number(), async () => size)
      return { title: 'many', summary: [], sections: [] }
    },
  })
  const [path, told] = [join(folder, 'many'), [] as string[]]
  const at = (size: number) =>
    runJob(system, many, { size }, { folder: path, seed: 0, progress: (line) => told.push(line) })
  await at(1)
  await at(1)
  expect(told).toEqual([])
  await at(2)
  expect(told).toEqual([
    `${path} holds results of other settings: a and what else differs is made again and replaces them (another --out keeps both)`,
  ])
})

test('it is told which part is being made, not those that are there', async () => {
  const nested = defineJob({
    name: 'nested',
    summary: 'nested',
    config: z.strictObject({}),
    run: async (_config, { keep }) => {
      await keep('outer', {}, z.number(), async () => (await keep('inner', {}, z.number(), async () => 1)).part)
      return { title: 'nested', summary: [], sections: [] }
    },
  })
  const told: (string | undefined)[] = []
  const options = {
    folder: join(folder, 'nested'),
    seed: 0,
    progress: () => {},
    making: (name?: string) => told.push(name),
  }
  await runJob(system, nested, {}, options)
  expect(told).toEqual(['outer', 'inner', 'outer', undefined])
  await runJob(system, nested, {}, options)
  expect(told).toHaveLength(4)
})
