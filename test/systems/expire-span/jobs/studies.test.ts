/** The studies of Expire-Span on tiny settings: arms, what is kept, what the pages say. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Report } from '../../../../src/report/figures.ts'
import type { Job, JobContext } from '../../../../src/systems/define.ts'
import { ablation } from '../../../../src/systems/expire-span/jobs/ablation.ts'
import { corridor } from '../../../../src/systems/expire-span/jobs/corridor.ts'
import { criticism } from '../../../../src/systems/expire-span/jobs/criticism.ts'
import { gradient, memoryGradients } from '../../../../src/systems/expire-span/jobs/gradient.ts'
import { trainMember } from '../../../../src/systems/expire-span/jobs/members.ts'
import { memory, runMemory } from '../../../../src/systems/expire-span/jobs/memory.ts'
import { scale } from '../../../../src/systems/expire-span/jobs/scale.ts'
import { keepIn } from '../../../../src/systems/jobs.ts'
import { configFrom, parseAssignment } from '../../../../src/train/settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-expire-jobs-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A context that tells the names of the parts, those made anew marked. */
function contextOf(name: string) {
  const parts: string[] = []
  const context: JobContext = {
    folder: join(folder, name),
    seed: 0,
    threads: 1,
    progress: (_line, { part, kept }) => void (typeof part === 'string' && parts.push(kept ? part : `new ${part}`)),
    keep: keepIn(join(folder, name)),
    write: () => Promise.reject(new Error('studies write no files')),
    openRun: () => Promise.reject(new Error('studies open no runs')),
  }
  return { context, parts }
}

async function runTiny(job: Job, sets: readonly string[]) {
  const { context, parts } = contextOf(job.name)
  const report = await job.run(configFrom(job.config, sets.map(parseAssignment)), context)
  return { report, parts }
}

// Small models and short texts.
const small = ['hid_sz=8', 'inner_hid_sz=8', 'nlayers=1', 'nheads=1', 'mem_sz=8', 'expire_span_ramp=4']
const also = [...small.map((set) => `model.${set}`), 'data.tokens=2000', 'data.test_tokens=3200', 'train.batch_size=4']
const alsoSet = `arms.also=${JSON.stringify(also)}`

const figuresOf = ({ sections }: Report) => sections.flatMap(({ figures }) => figures)
const tableOf = (report: Report, title: string) => {
  const found = figuresOf(report).find((figure) => figure.kind === 'table' && figure.title === title)
  return found?.kind === 'table' ? found.rows : []
}

test('corridor: each trained model is tried on every length, and parts are kept', async () => {
  const sets = [
    'lengths=[5,40]',
    'attn_lim=64',
    'train_length=12',
    'test_episodes=4',
    'batch_size=2',
    'mem_sz=8',
    'long_span=false',
    alsoSet,
  ].concat(['steps=2', 'seeds=1', 'tuning_steps=1', 'learning_rates=[0.001,0.003]'].map((set) => `arms.${set}`))
  const { report, parts } = await runTiny(corridor, sets)
  expect(parts).toEqual(
    ['expire', 'fixed-32'].flatMap((arm) => [
      `new tuning/${arm}-0.001`,
      `new tuning/${arm}-0.003`,
      `new members/${arm}-seed0`,
    ]),
  )
  expect(tableOf(report, 'By length').map(([length]) => length)).toEqual(['5', '40'])
  expect((await runTiny(corridor, sets)).parts.every((part) => !part.startsWith('new'))).toBe(true)
})

describe('one training each', () => {
  const arms = [alsoSet, ...['steps=2', 'seeds=1', 'learning_rates=[0.001]'].map((set) => `arms.${set}`)]

  test.each(['corridors', 'copy', 'collisions'])('scale: %s', async (task) => {
    const sizes = ['spans=[64,256]', 'hid_sz=8', 'nlayers=1', 'mem_sz=16', 'batch_size=2', 'ramp=8', 'initial_steps=20']
    const texts = ['row_tokens=64', 'test_row_tokens=160', 'corridor_length=40', 'copy_length=20', 'grid_size=3']
    const { report } = await runTiny(scale, [...arms, ...sizes, ...texts, `task=${task}`])
    expect(tableOf(report, 'By maximum span').map(([span]) => span)).toEqual(['64', '256'])
  })

  test('scale: rows shorter than a block are refused', async () => {
    await expect(runTiny(scale, [...arms, 'mem_sz=16', 'row_tokens=15'])).rejects.toThrow(
      'row_tokens must be at least mem_sz, 16, found 15',
    )
  })

  test('ablation: one setting changed at a time', async () => {
    const values = ['ramps=[]', 'losses=[0.01]', 'initial=[0.2]', 'noisy=false', 'attn_lim=32']
    const { report, parts } = await runTiny(ablation, [...arms, ...values])
    expect(parts.map((part) => part.replace('new members/', ''))).toEqual(
      ['loss-0.01', 'initial-0.2', 'regulariser-ramp', 'regulariser-every'].map((arm) => `${arm}-seed0`),
    )
    expect(report.sections.map(({ title }) => title)).toEqual([
      'Weight of the span loss',
      'First span',
      'What the span loss charges',
    ])
  })

  test('criticism: the same facts in two orders', async () => {
    const { report } = await runTiny(criticism, [...arms, 'losses=[0.001]', 'objects=3'])
    expect(tableOf(report, 'The same facts in two orders').map(([order]) => order)).toEqual([
      'before the objects',
      'after the objects',
    ])
  })

  test('memory: at equal reach and at equal cost', async () => {
    const { context, parts } = contextOf('memory')
    const sets = [...arms, 'task=cue', 'attn_lim=64', 'budget=32', 'losses=[0.001]'].map(parseAssignment)
    const settings = configFrom(memory.config, sets)
    const report = await runMemory(settings as Parameters<typeof runMemory>[0], context, trainMember)
    expect(parts).toHaveLength(7)
    expect(report.summary.map(({ note }) => note)).toContain('64 memories a layer')
  })
})

describe('the gradient of every span', () => {
  const settings = { attn_lim: 32, mem_sz: 4, ramp: 4, span_loss: 0.5, blocks: 12, rows: 2 }

  test('the task and the official span loss reach it on the ramp only, the formula of the paper everywhere', async () => {
    const found = await memoryGradients(settings, 1)
    const outside = found.filter(({ remaining }) => remaining >= 3 || remaining <= -4)
    expect(outside.length).toBeGreaterThan(20)
    expect(outside.every(({ task, ramp }) => task === 0 && ramp === 0)).toBe(true)
    const inside = found.filter(({ remaining }) => remaining < 2.999 && remaining > -3.999)
    expect(inside.length).toBeGreaterThan(5)
    for (const { remaining, ramp } of inside) {
      // Queries m = 0 to 3 that see it fade: -4 < remaining - m < 0; each 0.5 / (R M B).
      const queries = [0, 1, 2, 3].filter((m) => remaining - m < 0 && remaining - m > -4).length
      expect(ramp).toBeCloseTo((queries * 0.5) / (4 * 4 * 2), 6)
    }
    // Each of a block's own memories once: alpha / (M B).
    for (const { age, every } of found) expect(every).toBeCloseTo(age <= 0 ? 0.5 / (4 * 2) : 0, 6)
  })

  test('is drawn', async () => {
    const sets = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    const { report } = await runTiny(gradient, sets)
    expect(figuresOf(report).map(({ kind }) => kind)).toEqual(['lines', 'scatter', 'scatter', 'scatter', 'table'])
    expect(tableOf(report, 'Which memories learn').map((row) => row.slice(2, 4))).toEqual([
      [0, 0],
      [expect.any(Number), expect.any(Number)],
      [0, 0],
    ])
  })
})
