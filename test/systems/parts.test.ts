import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, defineSystem, type JobContext } from '../../src/systems/define.ts'
import { type JobOptions, runJob } from '../../src/systems/jobs.ts'
import { allOf, eachOf } from '../../src/systems/parts.ts'
import { thisProcess } from '../../src/train/holder.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tenfold-parts-'))
})
afterAll(() => rm(root, { recursive: true }))

const system = defineSystem({ name: 'trial', title: 'Trial', paper: 'none' })

/** Two arms, each tuned with two rates and then trained with two seeds, which need the better rate. `made`: who made what. */
function study(made: string[], milliseconds = 5) {
  const part = async ({ keep }: JobContext, name: string, depends: unknown, value: number): Promise<number> => {
    const { part } = await keep(name, depends, z.number(), async () => {
      await setTimeout(milliseconds)
      made.push(name)
      return value
    })
    return part
  }
  return defineJob({
    name: 'study',
    summary: 'a study',
    config: z.strictObject({}),
    run: async (_config, context) => {
      const arms = await eachOf(context, ['a', 'b'], async (arm) => {
        const tried = await allOf(context, [1, 2], (rate) => part(context, `tuning/${arm}-${rate}`, { rate }, rate))
        const rate = Math.max(...tried)
        const results = await eachOf(context, [0, 1], (seed) =>
          part(context, `members/${arm}-${seed}`, { rate, seed }, 10 * rate + seed),
        )
        return { arm, results }
      })
      const rows = arms.map(({ arm, results }) => [arm, results.join(' ')])
      return {
        title: 'study',
        summary: [],
        sections: [{ title: 'Arms', figures: [{ kind: 'table', title: 'All', columns: ['arm', 'results'], rows }] }],
      }
    },
  })
}

const run = (folder: string, made: string[], more: Partial<JobOptions> = {}) =>
  runJob(system, study(made), {}, { folder, seed: 0, progress: () => {}, ...more })
const rowsOf = async (path: string) =>
  JSON.parse(await readFile(path, 'utf8')).report.sections.at(-1).figures[0].rows as unknown

const names = [1, 2].flatMap((rate) => ['a', 'b'].map((arm) => `tuning/${arm}-${rate}`))
const members = [0, 1].flatMap((seed) => ['a', 'b'].map((arm) => `members/${arm}-${seed}`))
const rows = [
  ['a', '20 21'],
  ['b', '20 21'],
]

test('processes that share a folder make every part once, also those that depend on parts of others', async () => {
  const folder = join(root, 'shared')
  const made: string[][] = [[], []]
  const results = await Promise.all(made.map((own, i) => run(folder, own, { share: { index: i + 1, of: 2 } })))
  expect(made.flat().sort()).toEqual([...names, ...members].sort())
  expect(made.every((own) => own.length > 1)).toBe(true)
  for (const { json } of results) expect(await rowsOf(json)).toEqual(rows)
  expect(readdirSync(join(folder, 'tuning')).filter((name) => name.endsWith('.claim'))).toEqual([])
})

test('one process alone makes the shares of all, and the parts of a lost one', async () => {
  const folder = join(root, 'alone')
  const first: string[] = []
  await run(folder, first)
  await rm(join(folder, 'members', 'a-1.json'))
  // Of a process that has ended.
  writeFileSync(join(folder, 'members', 'a-1.claim'), JSON.stringify({ ...thisProcess(), pid: 2 ** 22 + 1 }))
  const second: string[] = []
  await run(folder, second, { share: { index: 2, of: 3 } })
  expect(second).toEqual(['members/a-1'])
})

test('what another process works at is waited for, until the work is interrupted', async () => {
  const folder = join(root, 'waiting')
  const [controller, told]: [AbortController, string[]] = [new AbortController(), []]
  await run(folder, [])
  await rm(join(folder, 'members', 'b-0.json'))
  writeFileSync(join(folder, 'members', 'b-0.claim'), JSON.stringify(thisProcess()))
  const waiting = run(folder, [], {
    share: { index: 1, of: 2 },
    signal: controller.signal,
    progress: (line) => {
      told.push(line)
      controller.abort(new Error('asked to stop'))
    },
  })
  await expect(waiting).rejects.toThrow('asked to stop')
  expect(told).toEqual(['waiting for what other processes make: members/b-0'])
})

test('a page of what is finished says what is missing, and makes nothing', async () => {
  const folder = join(root, 'finished')
  const made: string[] = []
  await run(folder, made)
  await rm(join(folder, 'members', 'a-0.json'))
  const partial = await run(folder, made, { onlyFinished: true })
  expect(partial.missing).toEqual(['members/a-0'])
  expect(await rowsOf(partial.json)).toEqual([
    ['a', '21'],
    ['b', '20 21'],
  ])
  expect(await readFile(partial.page, 'utf8')).toContain('1 missing part')
  await rm(join(folder, 'tuning'), { recursive: true })
  const { page, missing } = await run(folder, made, { onlyFinished: true })
  expect(missing).toEqual(['tuning/a-1', 'tuning/a-2', 'tuning/b-1', 'tuning/b-2'])
  expect(await readFile(page, 'utf8')).toContain('Too little is finished for the page of this job.')
  expect(made).toHaveLength(8)
  expect(existsSync(join(folder, 'tuning'))).toBe(false)
})

test('a part that fails ends the job, and nothing is begun after it', async () => {
  const folder = join(root, 'failing')
  const made: string[] = []
  const job = defineJob({
    name: 'failing',
    summary: 'fails',
    config: z.strictObject({}),
    run: async (_config, context) => {
      await eachOf(context, [0, 1, 2], (i) =>
        context.keep(`part-${i}`, {}, z.number(), async () => {
          made.push(`part-${i}`)
          throw new RangeError('out of luck')
        }),
      )
      return { title: '', summary: [], sections: [] }
    },
  })
  const options = { folder, seed: 0, progress: () => {}, share: { index: 1, of: 1 } }
  await expect(runJob(system, job, {}, options)).rejects.toThrow('out of luck')
  await setTimeout(20)
  expect(made).toEqual(['part-0'])
  expect(readdirSync(folder)).toEqual([])
})

test('a part that is needed to make another does not wait for its turn', async () => {
  const job = defineJob({
    name: 'nested',
    summary: 'a part in a part',
    config: z.strictObject({}),
    run: async (_config, { keep }) => {
      const { part } = await keep('outer', {}, z.number(), async () => {
        const inner = await keep('inner', {}, z.number(), async () => 1)
        return inner.part + 1
      })
      return { title: String(part), summary: [], sections: [] }
    },
  })
  const folder = join(root, 'nested')
  const { json } = await runJob(system, job, {}, { folder, seed: 0, progress: () => {}, share: { index: 1, of: 2 } })
  expect(JSON.parse(await readFile(json, 'utf8')).report.title).toBe('2')
})
