import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../../src/io/safetensors.ts'
import { ViT } from '../../../src/models/index.ts'
import type { Job } from '../../../src/systems/define.ts'
import { frozenTransformer } from '../../../src/systems/frozen-transformer/index.ts'
import { depth } from '../../../src/systems/frozen-transformer/jobs/depth.ts'
import { layerNorm } from '../../../src/systems/frozen-transformer/jobs/layernorm.ts'
import { medianSteps } from '../../../src/systems/frozen-transformer/jobs/report.ts'
import { chosenVariants } from '../../../src/systems/frozen-transformer/jobs/study.ts'
import { transfer, transferVariants } from '../../../src/systems/frozen-transformer/jobs/transfer.ts'
import { unfreeze } from '../../../src/systems/frozen-transformer/jobs/unfreeze.ts'
import { runJob } from '../../../src/systems/jobs.ts'
import { configFrom } from '../../../src/train/settings.ts'
import { UsageError } from '../../../src/util/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenfold-frozen-jobs-'))
const book = join(folder, 'book.txt')
writeFileSync(book, Array.from({ length: 900 }, (_, i) => `${i} whales, ${(7 * i) % 13} ships\n`).join(''))

const tiny = {
  tasks: ['bit-xor'],
  'bodies.text.folder': book,
  'bodies.language_epochs': 1,
  'bodies.memory_steps': 1,
  'model.embedding_size': 8,
  'model.n_layer': 1,
  'model.n_head': 1,
  'data.xor_bits': 2,
  'data.validation': 20,
  'data.test': 20,
  'study.seeds': 1,
  'study.learning_rates': [0.01],
  'study.steps': 2,
  'study.evaluate_every': 1,
  'study.batch_size': 4,
}

async function run(job: Job, settings: Record<string, unknown>) {
  const given = Object.entries({ ...tiny, ...settings }).map(([path, value]) => ({ path, value }))
  const lines: string[] = []
  const { page, json } = await runJob(frozenTransformer, job, configFrom(job.config, given), {
    folder: join(folder, job.name),
    seed: 0,
    threads: 1,
    progress: (line) => lines.push(line),
  })
  expect(statSync(page).size).toBeGreaterThan(5000)
  const { report } = JSON.parse(readFileSync(json, 'utf8'))
  return { lines, report, figures: report.sections.flatMap(({ figures }: { figures: object[] }) => figures) }
}

test('transfer: bodies are trained once and kept, claims are compared, variants are beside the paper', async () => {
  const settings = { variants: ['language', 'random', 'statistics', 'memory', 'lstm', 'full-language'] }
  const { lines, figures, report } = await run(transfer, settings)
  expect(lines.filter((line) => line.includes('kept'))).toEqual([])
  expect(report.summary[0].label).toBe('bit XOR')
  const [accuracies, claims, paper] = figures
  expect(accuracies.rows.map(([title]: string[]) => title)).toEqual([
    'frozen, language',
    'frozen, random',
    'frozen, random with the statistics of language',
    'frozen, bit memory',
    'all learns, from language',
    'LSTM, all learns',
    'without any model',
  ])
  expect(claims.rows[0][2]).toBe('frozen, language against frozen, random')
  expect(paper.rows[0][2]).toBe('100.0')
  const learning = figures.find(({ title }: { title: string }) => title === 'Numbers that learn')
  const counts = new Map<string, number>(
    learning.rows.map(([title, count]: string[]) => [title, Number(count?.replaceAll(',', ''))]),
  )
  expect(counts.get('all learns, from language')).toBeGreaterThan(counts.get('frozen, language') ?? 0)

  const again = await run(transfer, settings)
  expect(again.lines.filter((line) => !line.endsWith('kept'))).toEqual([])
}, 60_000)

test('layer norms, depth, unfreezing', async () => {
  const norms = await run(layerNorm, { variants: ['random-out', 'random-ln'], 'study.learning_rates': [0.01, 0.02] })
  expect(norms.lines.filter((line) => line.includes('tuning/'))).toHaveLength(4)
  expect(norms.figures[1].rows[0].slice(0, 3)).toEqual([
    'Layer norms are the part that matters most (ablation)',
    'bit XOR',
    'random: output, layer norms against random: output',
  ])
  const deep = await run(depth, { layers: [1], variants: ['language-1'] })
  expect(deep.lines.at(-1)).toContain('members/bit-xor-language-1-seed0')
  await expect(run(depth, { layers: [2], variants: ['language-2'] })).rejects.toThrow('the first 2 layers')

  const rates = { official_rate: 0.001, outer_rate: 0.01, body_rates: [0.0001] }
  const open = await run(unfreeze, { ...rates, variants: ['official-ff', 'own-both'] })
  expect(open.figures[0].rows.map(([title]: string[]) => title)).toEqual([
    "feed-forward layers learn too (the paper's rate)",
    'both learn too (a rate of its own, chosen)',
    'without any model',
  ])
}, 60_000)

test('what cannot be is told before anything is made', async () => {
  const few = { 'model.n_positions': 2, variants: ['language', 'random'] }
  await expect(run(transfer, few)).rejects.toThrow("model.n_positions must be at least the task's 4 tokens, found 2")
  await expect(run(transfer, { tasks: ['bit-xor', 'bit-xor'] })).rejects.toThrow(
    'setting "tasks": "bit-xor" is there twice',
  )
  const file = join(folder, 'short.txt')
  writeFileSync(file, 'too short a text')
  const short = { 'bodies.text.folder': file, variants: ['language'], 'model.n_head': 2 }
  await expect(run(transfer, short)).rejects.toThrow(/^bodies\.text: text of more than 128 tokens is needed/)
})

test('a body is of the kind that it is called', async () => {
  const file = join(folder, 'vit.safetensors')
  const vit = new ViT({ imageSize: 8, patchSize: 4, width: 64, depth: 1, heads: 1, numClasses: 3 })
  writeFileSync(file, writeSafetensors(vit.stateDict()))
  await expect(run(transfer, { variants: ['language'], 'bodies.language': file })).rejects.toThrow(
    `bodies.language must be a run of frozen-transformer/pretrain, or a file, found a vit in a file: ${file}`,
  )
})

test('unknown variants are named with the known ones; steps count where most seeds got there', () => {
  expect(() => chosenVariants(transferVariants.slice(0, 2), ['x'])).toThrow(
    new UsageError('variants: there is no "x"', { hint: 'there are language, random' }),
  )
  const arm = (...steps: (number | undefined)[]) => {
    const one = { accuracy: 1, loss: 0, trainAccuracy: 1, parameters: 1, steps: 9, seconds: 1 }
    const results = steps.map((reached) => ({ ...one, more: reached === undefined ? {} : { steps: reached } }))
    return { arm: { name: 'a', title: 'a', lr: 1, tried: [], results } }
  }
  expect(medianSteps(arm(100, undefined, 300))).toBe(300)
  expect(medianSteps(arm(100, undefined, undefined))).toBeUndefined()
})
